#include "vision/text/line_crop.h"

#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>
#include <random>

#include "vision/text/opencv_image.h"

namespace prismvid::vision {
namespace {

Image noise(int width, int height) {
  Image picture(width, height, 3);
  std::mt19937 random(5);
  for (int y = 0; y < height; ++y)
    for (int i = 0; i < 3 * width; ++i) picture.row(y)[i] = static_cast<uint8_t>(random());
  return picture;
}

Quad quad_of(float x0, float y0, float x1, float y1) { return {{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}}; }

bool same(const cv::Mat& a, const cv::Mat& b) { return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0; }

TEST(LineCropTest, AnUprightLineIsThePicturesOwnPixels) {
  const Image picture = noise(120, 80);
  const cv::Mat whole = as_mat(picture);
  EXPECT_TRUE(same(crop_line(picture, quad_of(10, 20, 97, 44)), whole(cv::Rect(10, 20, 87, 24))));
  EXPECT_TRUE(same(crop_line(picture, quad_of(0, 0, 119, 79)), whole(cv::Rect(0, 0, 119, 79))));
}

TEST(LineCropTest, WhatIsWarpedEqualsWhatIsCutOut) {
  const Image picture = noise(120, 80);
  Quad slanted = quad_of(10, 20, 97, 44);
  slanted[2].y += 0.0001f;  // not upright to the letter: this one is warped
  EXPECT_TRUE(same(crop_line(picture, slanted), crop_line(picture, quad_of(10, 20, 97, 44))));
}

TEST(LineCropTest, AHighLineIsTurnedToTheLeft) {
  const Image picture = noise(120, 80);
  cv::Mat turned;
  cv::rotate(as_mat(picture)(cv::Rect(30, 10, 20, 60)), turned, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_TRUE(same(crop_line(picture, quad_of(30, 10, 50, 70)), turned));
}

TEST(LineCropTest, ALargeSlantedLineIsMadeSmaller) {
  Image picture(900, 500, 3);
  for (int y = 0; y < 500; ++y)
    for (int x = 0; x < 900; ++x) picture.row(y)[3 * x] = x < 450 ? 200 : 40;
  const cv::Mat line = crop_line(picture, {{{50, 50}, {850, 54}, {850, 454}, {50, 450}}});
  EXPECT_EQ(line.size(), cv::Size(192, 96));
  EXPECT_EQ(line.at<cv::Vec3b>(48, 60)[0], 200);
  EXPECT_EQ(line.at<cv::Vec3b>(48, 130)[0], 40);
}

}  // namespace
}  // namespace prismvid::vision
