#include "deep/windows.h"

#include <gtest/gtest.h>

namespace prismvid::deep {

void PrintTo(const TimeRange& range, std::ostream* out) {
  *out << range.start_us << "-" << range.end_us;
}

namespace {

constexpr int64_t kSecond = 1'000'000;

std::vector<document::DocumentShot> shots_until(std::vector<int> ends_s) {
  std::vector<document::DocumentShot> shots;
  int64_t start_us = 0;
  for (const int end_s : ends_s) {
    document::DocumentShot shot;
    shot.range = {start_us, end_s * kSecond};
    start_us = shot.range.end_us;
    shots.push_back(shot);
  }
  return shots;
}

TEST(Windows, TakeAsManyWholeShotsAsFit) {
  const auto windows = cut_windows(shots_until({12, 18, 20, 24}), Feeding{});
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0], (TimeRange{0, 20 * kSecond}));
  EXPECT_EQ(windows[1], (TimeRange{20 * kSecond, 24 * kSecond}));
}

TEST(Windows, HoldNoMoreShotsThanTheModelKnows) {
  Feeding feeding;
  feeding.window_shots = 2;
  const auto windows = cut_windows(shots_until({2, 4, 6, 8, 10}), feeding);
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows[1], (TimeRange{4 * kSecond, 8 * kSecond}));
}

TEST(Windows, CutAShotThatIsTooLongIntoEqualParts) {
  const auto windows = cut_windows(shots_until({5, 50, 55}), Feeding{});
  ASSERT_EQ(windows.size(), 5u);
  EXPECT_EQ(windows[0], (TimeRange{0, 5 * kSecond}));
  EXPECT_EQ(windows[1], (TimeRange{5 * kSecond, 20 * kSecond}));
  EXPECT_EQ(windows[3], (TimeRange{35 * kSecond, 50 * kSecond}));
  EXPECT_EQ(windows[4], (TimeRange{50 * kSecond, 55 * kSecond}));
}

TEST(Windows, TileTheShotsOfTenHours) {
  std::vector<int> ends_s;
  for (int end_s = 7; end_s <= 36'000; end_s += 7) ends_s.push_back(end_s);
  const auto windows = cut_windows(shots_until(ends_s), Feeding{});
  EXPECT_EQ(windows.front().start_us, 0);
  EXPECT_EQ(windows.back().end_us, ends_s.back() * kSecond);
  for (size_t i = 1; i < windows.size(); ++i) EXPECT_EQ(windows[i].start_us, windows[i - 1].end_us);
}

TEST(Windows, OfNoShotsAreNone) {
  EXPECT_TRUE(cut_windows({}, Feeding{}).empty());
}

}  // namespace
}  // namespace prismvid::deep
