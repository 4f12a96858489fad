#include "vision/text/region_template.h"

#include <gtest/gtest.h>

#include <random>

namespace prismvid::vision {
namespace {

constexpr Shift kReach{5, 3};

/// Noise of two levels in blocks of two pixels, moved by `shift`.
Image noise(Shift shift, unsigned seed) {
  std::mt19937 random(seed);
  Image whole(240, 120, 1);
  for (int y = 0; y < 120; y += 2)
    for (int x = 0; x < 240; x += 2) {
      const auto level = static_cast<uint8_t>(random() % 2 * 150);
      for (int i = 0; i < 4; ++i) whole.row(y + i / 2)[x + i % 2] = level;
    }
  Image picture(200, 80, 1);
  for (int y = 0; y < 80; ++y)
    std::copy_n(whole.row(y + 20 - shift.y) + 20 - shift.x, 200, picture.row(y));
  return picture;
}

/// By its definition.
Shift shift_with_most(const RegionTemplate& region, ImageView luma, Shift around) {
  Shift best = around;
  float most = 0;
  for (int y = -kReach.y; y <= kReach.y; ++y)
    for (int x = -kReach.x; x <= kReach.x; ++x) {
      const Shift shift{around.x + x, around.y + y};
      const float whole = region.presence(luma, shift.x, shift.y).whole;
      if (whole > most) most = whole, best = shift;
    }
  return best;
}

void expect_best_shift(const Box& box, ImageView luma, Shift around, Shift expected) {
  const RegionTemplate region(noise({}, 1), box);
  const Shift found = region.best_shift(luma, around, kReach);
  EXPECT_EQ(std::pair(found.x, found.y), std::pair(expected.x, expected.y));
  const Shift slow = shift_with_most(region, luma, around);
  EXPECT_EQ(std::pair(found.x, found.y), std::pair(slow.x, slow.y));
}

TEST(RegionTemplate, FindsWhereATextHasMovedTo) {
  expect_best_shift({50, 30, 147, 49}, noise({4, -3}, 1), {0, 0}, {4, -3});
  expect_best_shift({90, 10, 107, 70}, noise({-7, 5}, 1), {-5, 4}, {-7, 5});
}

TEST(RegionTemplate, FindsATextThatLeavesThePicture) {
  expect_best_shift({2, 3, 60, 20}, noise({-5, -3}, 1), {0, 0}, {-5, -3});
  expect_best_shift({150, 60, 199, 79}, noise({4, 2}, 1), {1, 1}, {4, 2});
}

TEST(RegionTemplate, ATextThatIsGoneIsWhereTheFrameResemblesItMost) {
  const Image other = noise({}, 2);
  const RegionTemplate region(noise({}, 1), {50, 30, 147, 49});
  expect_best_shift({50, 30, 147, 49}, other, {0, 0}, shift_with_most(region, other, {0, 0}));
}

TEST(RegionTemplate, WithoutStrokesNothingMoves) {
  const Image grey(200, 80, 1);
  const Shift found =
      RegionTemplate(grey, {50, 30, 147, 49}).best_shift(noise({}, 1), {2, 1}, kReach);
  EXPECT_EQ(std::pair(found.x, found.y), std::pair(2, 1));
}

}  // namespace
}  // namespace prismvid::vision
