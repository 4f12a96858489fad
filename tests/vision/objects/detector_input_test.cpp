#include "vision/objects/detector_input.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace prismvid::vision {
namespace {

Image filled(int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
  Image image(width, height, 3);
  for (int i = 0; i < width * height; ++i) {
    image.data()[3 * i] = red;
    image.data()[3 * i + 1] = green;
    image.data()[3 * i + 2] = blue;
  }
  return image;
}

TEST(DetectorInput, LetterboxPutsThePictureAtTheTopLeftAndPadsTheRest) {
  DetectorInput input{.size = {64, 64}, .bgr = true, .letterbox = true};
  std::vector<float> planes(3 * 64 * 64);
  const InputPlacement placement = fill_input(filled(128, 50, 200, 100, 50), input, planes);
  EXPECT_EQ(placement.width, 64);
  EXPECT_EQ(placement.height, 25);
  const size_t plane = 64 * 64;
  EXPECT_EQ(planes[0], 50);
  EXPECT_EQ(planes[plane], 100);
  EXPECT_EQ(planes[2 * plane], 200);
  EXPECT_EQ(planes[24 * 64 + 63], 50);
  for (int channel = 0; channel < 3; ++channel) EXPECT_EQ(planes[channel * plane + 25 * 64], 114);
}

TEST(DetectorInput, StretchFillsTheInputAndNormalises) {
  DetectorInput input{.size = {32, 64}, .area_resize = true};
  input.mean = {10, 20, 30};
  input.deviation = {2, 4, 5};
  std::vector<float> planes(3 * 32 * 64);
  const InputPlacement placement = fill_input(filled(100, 30, 200, 100, 50), input, planes);
  EXPECT_EQ(placement.width, 32);
  EXPECT_EQ(placement.height, 64);
  for (int i = 0; i < 32 * 64; ++i) {
    EXPECT_FLOAT_EQ(planes[i], 95);
    EXPECT_FLOAT_EQ(planes[32 * 64 + i], 20);
    EXPECT_FLOAT_EQ(planes[2 * 32 * 64 + i], 4);
  }
}

TEST(DetectorInput, ReadsPicturesWithPaddedRows) {
  Image wide = filled(100, 40, 9, 9, 9);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 50 * 3; ++x) wide.row(y)[x] = 77;
  DetectorInput input{.size = {32, 32}};
  std::vector<float> planes(3 * 32 * 32);
  fill_input(wide.view().crop(0, 0, 50, 40), input, planes);
  for (const float value : planes) EXPECT_EQ(value, 77);
}

TEST(DetectorInput, TakesExtremeShapesAndRefusesWhatIsNoRgbPicture) {
  DetectorInput input{.size = {32, 32}, .letterbox = true};
  std::vector<float> planes(3 * 32 * 32);
  EXPECT_EQ(fill_input(filled(1, 1, 5, 5, 5), input, planes).width, 32);
  EXPECT_EQ(fill_input(filled(4000, 2, 5, 5, 5), input, planes).height, 1);
  EXPECT_THROW(fill_input(Image(8, 8, 1), input, planes), Error);
  EXPECT_THROW(fill_input(ImageView{}, input, planes), Error);
}

}  // namespace
}  // namespace prismvid::vision
