#include "vision/faces/face_quality.h"

#include <gtest/gtest.h>

#include <numeric>

#include "face_fixture.h"
#include "vision/faces/dlib_embedder.h"

namespace prismvid::vision {
namespace {

/// Mean over a square of side 2 * radius + 1.
Image blurred(const Image& from, int radius) {
  Image result(from.width(), from.height(), 3);
  for (int y = 0; y < from.height(); ++y)
    for (int i = 0; i < from.width() * 3; ++i) {
      int sum = 0, count = 0;
      for (int dy = -radius; dy <= radius; ++dy)
        for (int dx = -radius; dx <= radius; ++dx) {
          const int row = y + dy, column = i + 3 * dx;
          if (row < 0 || row >= from.height() || column < 0 || column >= from.width() * 3) continue;
          sum += from.row(row)[column], ++count;
        }
      result.row(y)[i] = static_cast<uint8_t>(sum / count);
    }
  return result;
}

class FaceQualityTest : public testing::Test {
 protected:
  FaceQuality assess(const Image& picture) {
    return assess_face(face_, embedder_.align(picture, face_));
  }

  const DetectedFace face_{{100, 76, 180, 156}, 1, std::nullopt};
  ModelRegistry models_ = ModelRegistry::standard();
  DlibFaceEmbedder embedder_{models_.require("face_embedding", "dlib-face-resnet"),
                             models_.require("face_landmarks", "dlib-5-landmarks")};
};

TEST_F(FaceQualityTest, ASharpFrontalFaceIsRecognisableAndItsBlurredCopyIsNot) {
  const FaceQuality sharp = assess(astronaut());
  const FaceQuality soft = assess(blurred(astronaut(), 1));
  const FaceQuality smeared = assess(blurred(astronaut(), 6));
  EXPECT_TRUE(sharp.recognisable());
  EXPECT_GT(sharp.pose, 0.9f);
  EXPECT_GT(sharp.overall(), soft.overall());
  EXPECT_GT(soft.overall(), smeared.overall());
  EXPECT_FALSE(smeared.recognisable());
}

TEST_F(FaceQualityTest, TinyFacesAreNotRecognisable) {
  DetectedFace tiny = face_;
  tiny.box = {100, 76, 138, 114};
  EXPECT_FALSE(assess_face(tiny, embedder_.align(astronaut(), face_)).recognisable());
}

TEST_F(FaceQualityTest, ProfilesAreNotRecognisable) {
  AlignedFace profile = embedder_.align(astronaut(), face_);
  profile.landmarks = {.right_eye = {100, 100}, .left_eye = {120, 100}, .nose = {122, 115}};
  EXPECT_FALSE(assess_face(face_, profile).recognisable());
}

}  // namespace
}  // namespace prismvid::vision
