#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "face_fixture.h"
#include "vision/faces/dlib_detector.h"
#include "vision/faces/dlib_embedder.h"

namespace prismvid::vision {
namespace {

using nlohmann::json;

/// What dlib's own networks answer for the portrait (tools/golden/dlib_faces.cpp).
json golden_face() {
  std::ifstream stream(std::string(TEST_DATA) + "/dlib_faces.json");
  const json faces = json::parse(stream);
  EXPECT_EQ(faces.size(), 1u);
  return faces.at(0);
}

DetectedFace as_face(const json& box) {
  return {{box[0], box[1], box[2].get<float>() + 1, box[3].get<float>() + 1}, 1, std::nullopt};
}

DlibDetectorOptions exact() {
  DlibDetectorOptions options;
  options.network.precision = Precision::kExact;
  return options;
}

void expect_golden(const MmodDetection& found, const json& golden, float margin_tolerance) {
  EXPECT_EQ(found.box.left(), golden["box"][0].get<long>());
  EXPECT_EQ(found.box.top(), golden["box"][1].get<long>());
  EXPECT_EQ(found.box.right(), golden["box"][2].get<long>());
  EXPECT_EQ(found.box.bottom(), golden["box"][3].get<long>());
  EXPECT_NEAR(found.margin, golden["margin"].get<float>(), margin_tolerance);
}

TEST(DlibDetector, FindsTheFaceWhereDlibDoesWithTheSameMargin) {
  DlibFaceDetector detector(ModelRegistry::standard().require("face_detection", "dlib-mmod-face"),
                            exact());
  const auto found = detector.detect_at_size(astronaut());
  ASSERT_EQ(found.size(), 1u);
  expect_golden(found[0], golden_face(), 1e-3f);
}

TEST(DlibDetector, ReducedPrecisionFindsTheSameFace) {
  DlibFaceDetector detector(ModelRegistry::standard().require("face_detection", "dlib-mmod-face"));
  const auto found = detector.detect_at_size(astronaut());
  ASSERT_EQ(found.size(), 1u);
  expect_golden(found[0], golden_face(), 0.05f);
}

TEST(DlibDetector, BoxesOfALargerPictureAreInItsOwnPixels) {
  DlibDetectorOptions options;
  options.longest_side = 240;
  DlibFaceDetector detector(ModelRegistry::standard().require("face_detection", "dlib-mmod-face"),
                            options);
  const auto found = detector.detect(astronaut());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_GT(intersection_over_union(found[0].box, as_face(golden_face()["box"]).box), 0.5f);
}

TEST(DlibDetector, PicturesTooSmallForAFaceGiveNone) {
  DlibFaceDetector detector(ModelRegistry::standard().require("face_detection", "dlib-mmod-face"));
  EXPECT_TRUE(detector.detect(Image(1, 1, 3)).empty());
  EXPECT_TRUE(detector.detect(Image(30, 4, 3)).empty());
}

TEST(DlibDetector, RefusesAFileThatIsAnotherNetwork) {
  EXPECT_THROW(
      DlibFaceDetector(ModelRegistry::standard().require("face_embedding", "dlib-face-resnet")),
      Error);
}

class DlibEmbedderTest : public testing::Test {
 protected:
  ModelRegistry models_ = ModelRegistry::standard();
  DlibFaceEmbedder embedder_{models_.require("face_embedding", "dlib-face-resnet"),
                             models_.require("face_landmarks", "dlib-5-landmarks")};
};

TEST_F(DlibEmbedderTest, LandmarksAndVectorEqualDlibs) {
  const json golden = golden_face();
  const AlignedFace aligned = embedder_.align(astronaut(), as_face(golden["box"]));
  const json& points = golden["landmarks"];
  EXPECT_EQ(aligned.landmarks.nose.x, points[4][0].get<float>());
  EXPECT_EQ(aligned.landmarks.nose.y, points[4][1].get<float>());
  EXPECT_LT(aligned.landmarks.right_eye.x, aligned.landmarks.left_eye.x);
  const std::vector<float> vector = embedder_.embed(aligned.chip);
  const auto expected = golden["embedding"].get<std::vector<float>>();
  ASSERT_EQ(vector.size(), expected.size());
  float worst = 0;
  for (size_t i = 0; i < vector.size(); ++i)
    worst = std::max(worst, std::abs(vector[i] - expected[i]));
  EXPECT_LT(worst, 1e-4f);
}

TEST_F(DlibEmbedderTest, AFaceAtThePicturesEdgeIsAligned) {
  const Image picture = astronaut();
  const AlignedFace aligned = embedder_.align(picture, {{-20, -10, 60, 70}, 1, std::nullopt});
  EXPECT_EQ(aligned.chip.size(), (Size{150, 150}));
}

TEST_F(DlibEmbedderTest, RefusesAFaceOutsideOfThePicture) {
  EXPECT_THROW(embedder_.align(astronaut(), {{2000, 2000, 2080, 2080}, 1, std::nullopt}), Error);
}

}  // namespace
}  // namespace prismvid::vision
