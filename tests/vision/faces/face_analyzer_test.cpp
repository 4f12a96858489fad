#include "vision/faces/face_analyzer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "face_fixture.h"

namespace prismvid::vision {
namespace {

constexpr int64_t kHalfSecond = 500'000;

/// The portrait at (x, y) of a grey 640x360 picture.
Image scene(int x, int y) {
  Image picture(640, 360, 3);
  std::memset(picture.data(), 110, static_cast<size_t>(picture.stride()) * 360);
  const Image face = astronaut();
  for (int row = 0; row < face.height() && y + row < 360; ++row)
    std::memcpy(picture.row(y + row) + x * 3, face.row(row), static_cast<size_t>(face.stride()));
  return picture;
}

void add(FaceAnalyzer& analyzer, const Image& picture, int index, int shot) {
  analyzer.add(
      {.frame = index * 12, .pts_us = index * kHalfSecond, .shot = shot, .picture = picture});
}

class FaceAnalyzerTest : public testing::Test {
 protected:
  FaceAnalyzer analyzer_{ModelRegistry::standard(), FaceOptions{}};
};

TEST_F(FaceAnalyzerTest, OneMovingFaceIsOneTrackWithOneVectorAndAPicture) {
  for (int i = 0; i < 6; ++i) add(analyzer_, scene(20 * i, 10), i, 0);
  const auto tracks = analyzer_.finish();
  ASSERT_EQ(tracks.size(), 1u);
  const FaceTrack& track = tracks[0];
  EXPECT_EQ(track.points.size(), 6u);
  EXPECT_EQ(track.range, (TimeRange{0, 5 * kHalfSecond + 1}));
  ASSERT_EQ(track.embedding.size(), 128u);
  EXPECT_NEAR(cosine(track.embedding, track.embedding), 1, 1e-5);
  EXPECT_GT(track.quality, 0.4f);
  const Image picture = decode_jpeg(track.thumbnail_jpeg);
  EXPECT_GT(picture.width(), 100);
  EXPECT_NEAR(track.points[5].box.x0 - track.points[0].box.x0, 100.0 / 640, 0.03);
}

TEST_F(FaceAnalyzerTest, ANewShotStartsANewTrackOfTheSamePerson) {
  for (int i = 0; i < 4; ++i) add(analyzer_, scene(100, 10), i, i / 2);
  const auto tracks = analyzer_.finish();
  ASSERT_EQ(tracks.size(), 2u);
  EXPECT_GT(cosine(tracks[0].embedding, tracks[1].embedding), 0.99f);
}

/// Counts the searches of the whole picture and of places in it.
class CountingDetector : public FaceDetector {
 public:
  struct Counts {
    int whole = 0;
    int near = 0;
  };
  CountingDetector(std::unique_ptr<FaceDetector> detector, Counts& counts) : detector_(std::move(detector)), counts_(counts) {}
  std::vector<DetectedFace> detect(ImageView picture) override {
    ++counts_.whole;
    return detector_->detect(picture);
  }
  std::vector<DetectedFace> detect_near(ImageView picture, std::span<const Box> places) override {
    ++counts_.near;
    return detector_->detect_near(picture, places);
  }

 private:
  std::unique_ptr<FaceDetector> detector_;
  Counts& counts_;
};

class CountingEmbedder : public FaceEmbedder {
 public:
  CountingEmbedder(std::unique_ptr<FaceEmbedder> embedder, int& embedded) : embedder_(std::move(embedder)), embedded_(embedded) {}
  AlignedFace align(ImageView picture, const DetectedFace& face) override { return embedder_->align(picture, face); }
  std::vector<float> embed(ImageView chip) override {
    ++embedded_;
    return embedder_->embed(chip);
  }
  float same_person_cosine() const override { return embedder_->same_person_cosine(); }

 private:
  std::unique_ptr<FaceEmbedder> embedder_;
  int& embedded_;
};

class FaceSearches : public testing::Test {
 protected:
  FaceAnalyzer analyzer() {
    return {std::make_unique<CountingDetector>(make_face_detector(models_, {}), counts_), make_face_embedder(models_, {})};
  }
  ModelRegistry models_ = ModelRegistry::standard();
  CountingDetector::Counts counts_;
};

TEST_F(FaceSearches, AreASecondApartThenTwoWhileFacesStayAndMissNoSample) {
  FaceAnalyzer faces = analyzer();
  for (int i = 0; i < 8; ++i) add(faces, scene(15 * i, 10 + 2 * i), i, 0);
  const auto tracks = faces.finish();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].points.size(), 8u);
  for (size_t i = 1; i < 8; ++i) {
    EXPECT_NEAR(tracks[0].points[i].box.x0 - tracks[0].points[0].box.x0, 15.0 * static_cast<double>(i) / 640, 0.03) << i;
    EXPECT_NEAR(tracks[0].points[i].box.width(), tracks[0].points[0].box.width(), 0.05) << i;
  }
  EXPECT_EQ(counts_.whole, 3);  // samples 0, 2 and 6
}

TEST_F(FaceSearches, AreASecondApartWhileFacesComeAndGo) {
  Image empty(640, 360, 3);
  std::memset(empty.data(), 110, static_cast<size_t>(empty.stride()) * 360);
  FaceAnalyzer faces = analyzer();
  for (int i = 0; i < 8; ++i) add(faces, i / 2 % 2 ? scene(100, 10) : empty, i, 0);
  EXPECT_EQ(counts_.whole, 4);  // every other sample
}

/// Text, which is looked for a call later, then never costs its most in the same call.
TEST_F(FaceSearches, BeginWithTheFirstSampleOfAShot) {
  FaceAnalyzer faces = analyzer();
  std::vector<int> searches;
  for (int i = 0; i < 8; ++i) {
    add(faces, scene(100, 10), i, i / 4);
    searches.push_back(counts_.whole);
  }
  EXPECT_EQ(searches, (std::vector<int>{1, 1, 2, 2, 3, 3, 4, 4}));
}

TEST_F(FaceSearches, AreNotMoreThanOneACall) {
  FaceAnalyzer faces = analyzer();
  int before = 0;
  for (int i = 0; i < 16; ++i) {
    add(faces, scene(100 + i, 10), i, i / 5);
    EXPECT_LE(counts_.whole + counts_.near - before, 1) << i;
    before = counts_.whole + counts_.near;
  }
  size_t points = 0;
  for (const FaceTrack& track : faces.finish()) points += track.points.size();
  EXPECT_EQ(points, 16u);
}

TEST_F(FaceSearches, FacesOfATrackThatEndedAreEmbeddedOneACall) {
  int embedded = 0, before = 0;
  FaceAnalyzer faces(make_face_detector(models_, {}), std::make_unique<CountingEmbedder>(make_face_embedder(models_, {}), embedded));
  for (int i = 0; i < 16; ++i) {
    add(faces, scene(100 + i, 10), i, i / 8);
    EXPECT_LE(embedded - before, 1) << i;
    before = embedded;
  }
  EXPECT_EQ(embedded, 3);
  EXPECT_EQ(faces.take_finished().size(), 1u);
  EXPECT_EQ(faces.finish().size(), 1u);
  EXPECT_EQ(embedded, 6);
}

TEST_F(FaceAnalyzerTest, AFaceThatComesBetweenTwoSearchesIsSeenFromItsFirstSample) {
  Image empty(640, 360, 3);
  std::memset(empty.data(), 110, static_cast<size_t>(empty.stride()) * 360);
  add(analyzer_, empty, 0, 0);  // searched
  for (int i = 1; i < 5; ++i) add(analyzer_, scene(100, 10), i, 0);
  const auto tracks = analyzer_.finish();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].range.start_us, kHalfSecond);
}

TEST_F(FaceAnalyzerTest, AShotOfOneSampleIsSearched) {
  for (int i = 0; i < 3; ++i) add(analyzer_, scene(100, 10), i, i);
  EXPECT_EQ(analyzer_.finish().size() + analyzer_.take_finished().size(), 3u);
}

TEST_F(FaceAnalyzerTest, ASceneWithoutFacesGivesNoTracks) {
  Image picture(640, 360, 3);
  for (int y = 0; y < 360; ++y)
    for (int i = 0; i < 640 * 3; ++i)
      picture.row(y)[i] = static_cast<uint8_t>((i * 7 + y * 13) % 251);
  for (int i = 0; i < 3; ++i) add(analyzer_, picture, i, 0);
  EXPECT_TRUE(analyzer_.finish().empty());
}

}  // namespace
}  // namespace prismvid::vision
