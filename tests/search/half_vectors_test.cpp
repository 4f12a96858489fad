#include "search/half_vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace prismvid::search {
namespace {

TEST(Halves, EveryFiniteHalfComesBackFromItsFloat) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7C00) == 0x7C00) continue;  // infinities and NaN
    ASSERT_EQ(to_half(from_half(static_cast<uint16_t>(half))), half);
  }
}

TEST(Halves, RoundToTheNearestAndTiesToEven) {
  EXPECT_EQ(from_half(to_half(1.0f + 0x1p-11f)), 1.0f);
  EXPECT_EQ(from_half(to_half(1.0f + 3 * 0x1p-11f)), 1.0f + 0x1p-9f);
  EXPECT_EQ(from_half(to_half(1.0f + 0x1.1p-11f)), 1.0f + 0x1p-10f);
  EXPECT_EQ(from_half(to_half(65504.0f)), 65504.0f);
  EXPECT_TRUE(std::isinf(from_half(to_half(65520.0f))));
  EXPECT_TRUE(std::isnan(from_half(to_half(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(to_half(0x1p-25f), 0);
  EXPECT_EQ(to_half(0x1.8p-24f), 2);
}

struct Matrix {
  std::vector<float> query;
  std::vector<uint16_t> rows;
};

Matrix random_matrix(size_t size, size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  Matrix matrix;
  for (size_t i = 0; i < size; ++i) matrix.query.push_back(normal(random));
  for (size_t i = 0; i < size * count; ++i) matrix.rows.push_back(to_half(normal(random)));
  return matrix;
}

TEST(Dot, TheFastFormAgreesWithItsDefinitionAtEverySize) {
  for (size_t size : {1, 7, 31, 32, 33, 64, 100, 384}) {
    const Matrix matrix = random_matrix(size, 1);
    EXPECT_NEAR(dot(matrix.query, matrix.rows.data()), dot_plain(matrix.query, matrix.rows.data()),
                1e-3);
  }
}

TEST(Nearest, GivesTheBestRowsInOrderWhateverTheThreads) {
  constexpr size_t kSize = 24, kCount = 20'000;
  const Matrix matrix = random_matrix(kSize, kCount);
  std::vector<Neighbour> all;
  for (size_t row = 0; row < kCount; ++row)
    all.push_back({row, dot(matrix.query, matrix.rows.data() + row * kSize)});
  std::sort(all.begin(), all.end(),
            [](const Neighbour& a, const Neighbour& b) { return a.score > b.score; });
  for (int threads : {1, 2, 3}) {
    const auto found = nearest(matrix.query, matrix.rows, 50, threads);
    ASSERT_EQ(found.size(), 50u);
    for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].score, all[i].score) << threads;
  }
}

TEST(Nearest, AnEmptyLibraryHasNothing) {
  EXPECT_TRUE(nearest(std::vector<float>(8), {}, 5, 2).empty());
  EXPECT_TRUE(nearest(std::vector<float>(2, 1), std::vector<uint16_t>(4), 0, 2).empty());
}

}  // namespace
}  // namespace prismvid::search
