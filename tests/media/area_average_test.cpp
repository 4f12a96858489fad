#include "media/area_average.h"

#include <gtest/gtest.h>

#include <random>

namespace prismvid::media {
namespace {

template <typename Sample>
std::vector<Sample> noise(size_t count, int top) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> value(0, top);
  std::vector<Sample> samples(count);
  for (Sample& s : samples) s = static_cast<Sample>(value(random));
  return samples;
}

template <typename Sample>
void expect_fast_equals_plain(Size from, int channels, Size to, const std::vector<Sample>& samples,
                              int stride) {
  const PlaneView<Sample> plane{samples.data(), from.width, from.height, channels, stride};
  const std::vector<float> expected = area_average_plain(plane, to);
  size_t rows = 0;
  area_average(plane, to, [&](int y, const float* row) {
    const auto values = static_cast<size_t>(to.width * channels);
    ASSERT_EQ(static_cast<size_t>(y), rows++);
    for (size_t i = 0; i < values; ++i) {
      const float e = expected[static_cast<size_t>(y) * values + i];
      ASSERT_NEAR(row[i], e, 1e-4f * (1 + e))
          << from.width << "x" << from.height << " to " << to.width << "x" << to.height;
    }
  });
  EXPECT_EQ(rows, static_cast<size_t>(to.height));
}

template <typename Sample>
void check_sizes(int top) {
  const Size pairs[][2] = {{{1, 1}, {1, 1}},      {{1, 1}, {3, 2}},     {{96, 54}, {32, 18}},
                           {{96, 54}, {64, 36}},  {{97, 53}, {31, 17}}, {{96, 54}, {1, 1}},
                           {{64, 40}, {16, 10}},  {{7, 600}, {3, 1}},   {{2000, 3}, {1, 3}},
                           {{33, 17}, {33, 17}},  {{20, 10}, {41, 23}}, {{192, 108}, {64, 18}},
                           {{120, 66}, {20, 11}}, {{63, 61}, {62, 60}}};
  for (const auto& [from, to] : pairs) {
    for (const int channels : {1, 2, 3}) {
      const int stride = from.width * channels + 5;
      const auto samples =
          noise<Sample>(static_cast<size_t>(stride) * static_cast<size_t>(from.height), top);
      expect_fast_equals_plain<Sample>(from, channels, to, samples, stride);
    }
  }
}

TEST(AreaAverage, FastEqualsDefinitionOn8BitNoise) {
  check_sizes<uint8_t>(255);
}
TEST(AreaAverage, FastEqualsDefinitionOn10BitNoise) {
  check_sizes<uint16_t>(1023);
}
TEST(AreaAverage, FastEqualsDefinitionOn16BitNoise) {
  check_sizes<uint16_t>(65535);
}

TEST(AreaAverage, WhiteStaysWhiteAtTheLargestSumsThatFit) {
  for (const int height : {255, 256, 257, 258, 511, 512, 513, 4096}) {
    const std::vector<uint8_t> white(static_cast<size_t>(height) * 4, 255);
    const PlaneView<uint8_t> plane{white.data(), 4, height, 1, 4};
    for (const int rows : {1, 2})
      area_average(plane, {2, rows},
                   [&](int, const float* row) { EXPECT_NEAR(row[0], 255, 0.01) << height; });
  }
}

TEST(AreaAverage, HalvesTwoPixelCheckersToGrey) {
  Image board(8, 8, 3);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x)
      for (int c = 0; c < 3; ++c) board.row(y)[3 * x + c] = (x + y) % 2 ? 255 : 0;
  const Image small = area_average(board.view(), {4, 4});
  for (int i = 0; i < 48; ++i) EXPECT_EQ(small.data()[i], 128);
}

}  // namespace
}  // namespace prismvid::media
