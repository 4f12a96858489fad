#include "vision/text/region_template.h"

#include <gtest/gtest.h>

#include <random>

#include "vision/text/line_crop.h"

namespace prismvid::vision {
namespace {

/// Dark strokes of a random text on a light ground at (x, y); contrast 0 leaves the ground alone.
Image page(int x, int y, float contrast = 1, Size size = {200, 90}) {
  Image luma(size.width, size.height, 1);
  std::fill_n(luma.data(), size.width * size.height, uint8_t{200});
  std::mt19937 random(5);
  for (int row = 0; row < 20; ++row)
    for (int column = 0; column < 80; ++column) {
      const bool stroke = random() % 3 == 0;
      const int px = x + column, py = y + row;
      if (stroke && px >= 0 && py >= 0 && px < size.width && py < size.height)
        luma.row(py)[px] = static_cast<uint8_t>(200 - 160 * contrast);
    }
  return luma;
}

Box text_box(int x, int y) {
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(x + 80),
          static_cast<float>(y + 20)};
}

TEST(RegionTemplate, ATextIsWhollyPresentWhereItStands) {
  const Image luma = page(40, 30);
  const RegionTemplate text(luma, text_box(40, 30));
  const Presence here = text.presence(luma);
  EXPECT_NEAR(here.whole, 1, 1e-5);
  EXPECT_NEAR(here.weakest, 1, 1e-5);
  EXPECT_NEAR(here.likeness, 1, 1e-5);
  EXPECT_NEAR(text.presence(page(40, 30, 0)).whole, 0, 1e-6);
}

TEST(RegionTemplate, FadingLowersPresenceButNotLikeness) {
  const RegionTemplate text(page(40, 30), text_box(40, 30));
  const Presence faded = text.presence(page(40, 30, 0.5f));
  EXPECT_NEAR(faded.whole, 0.5, 0.01);
  EXPECT_NEAR(faded.likeness, 1, 0.01);
}

TEST(RegionTemplate, AMovedTextIsFoundWhereItWent) {
  const RegionTemplate text(page(40, 30), text_box(40, 30));
  for (const auto& [dx, dy] : {std::pair{3, -2}, {-5, 3}, {0, 1}}) {
    const Image moved = page(40 + dx, 30 + dy);
    EXPECT_NEAR(text.presence(moved, dx, dy).whole, 1, 1e-5);
    EXPECT_NEAR(text.presence_estimate(moved, dx, dy), 1, 0.25);
    EXPECT_LT(text.presence_estimate(moved, 0, 0), 0.4);
  }
}

TEST(RegionTemplate, WhatLiesOutsideOfTheFrameIsNotThere) {
  const Image luma = page(40, 30);
  const RegionTemplate text(luma, text_box(40, 30));
  EXPECT_NEAR(text.presence(page(-40, 30), -80, 0).whole, 0.5, 0.1);
  EXPECT_EQ(text.presence(luma, 500, 0).whole, 0);
  EXPECT_EQ(text.presence(luma, 0, -500).whole, 0);
  EXPECT_EQ(text.presence_estimate(luma, -500, 0), 0);
}

TEST(RegionTemplate, LinesThatRunDownAreComparedToo) {
  const Image luma = page(40, 30, 1, {120, 200});
  const RegionTemplate text(luma, {40, 10, 60, 150});
  EXPECT_NEAR(text.presence(luma).whole, 1, 1e-5);
  EXPECT_NEAR(text.presence(luma).weakest, 1, 1e-5);
}

TEST(LineCrop, AnUprightLineIsCopiedAsInterpolationWouldGiveIt) {
  Image rgb(120, 60, 3);
  std::mt19937 random(9);
  std::generate_n(rgb.data(), 120 * 60 * 3, [&] { return static_cast<uint8_t>(random()); });
  const Quad upright{Point{10, 20}, Point{90, 20}, Point{90, 44}, Point{10, 44}};
  Quad nearly = upright;
  for (Point& corner : nearly) corner.x += 1e-4f;  // not on whole pixels: the interpolating way
  const cv::Mat copied = crop_line(rgb, upright), warped = crop_line(rgb, nearly);
  ASSERT_EQ(copied.size(), cv::Size(80, 24));
  ASSERT_EQ(warped.size(), copied.size());
  for (int y = 0; y < 24; ++y)
    for (int i = 0; i < 80 * 3; ++i) {
      ASSERT_EQ(copied.ptr(y)[i], rgb.row(20 + y)[30 + i]);
      ASSERT_NEAR(copied.ptr(y)[i], warped.ptr(y)[i], 2) << i << ' ' << y;
    }
}

}  // namespace
}  // namespace prismvid::vision
