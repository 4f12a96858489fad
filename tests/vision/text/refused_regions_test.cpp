#include "vision/text/refused_regions.h"

#include <gtest/gtest.h>

#include <random>

namespace prismvid::vision {
namespace {

constexpr Box kLarge{40, 30, 240, 150}, kLine{40, 130, 240, 150};

/// Grey with noise of this strength.
LumaFrame frame(int64_t pts_us, int strength, unsigned seed = 1) {
  LumaFrame frame{0, pts_us, Image(320, 180, 1)};
  std::mt19937 random(seed);
  for (int i = 0; i < 320 * 180; ++i) frame.luma.data()[i] = static_cast<uint8_t>(128 + static_cast<int>(random() % 2 * 2 - 1) * strength);
  return frame;
}

TEST(RefusedRegions, ALargeOneIsKnownAgainForFiveSeconds) {
  RefusedRegions refused;
  refused.add(frame(0, 60), kLarge);
  EXPECT_TRUE(refused.has(frame(4'500'000, 60, 2), {45, 35, 250, 150}));
  EXPECT_FALSE(refused.has(frame(5'500'000, 60, 2), kLarge));
}

TEST(RefusedRegions, AnotherPlaceOrAnotherShotIsNot) {
  RefusedRegions refused;
  refused.add(frame(0, 60), kLarge);
  EXPECT_FALSE(refused.has(frame(500'000, 60), {200, 30, 310, 150}));
  refused.forget();
  EXPECT_FALSE(refused.has(frame(500'000, 60), kLarge));
}

TEST(RefusedRegions, OneThatGrowsStrongerIsReadAgain) {
  RefusedRegions refused;
  refused.add(frame(0, 40), kLarge);
  EXPECT_FALSE(refused.has(frame(500'000, 60), kLarge));
}

TEST(RefusedRegions, ALineIsReadAgain) {
  RefusedRegions refused;
  refused.add(frame(0, 60), kLine);
  EXPECT_FALSE(refused.has(frame(500'000, 60), kLine));
}

}  // namespace
}  // namespace prismvid::vision
