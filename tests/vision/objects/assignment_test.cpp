#include "vision/objects/assignment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "core/error.h"

namespace prismvid::vision {
namespace {

using ::testing::ElementsAre;

double total(const std::vector<float>& costs, int columns, float limit,
             const std::vector<int>& pairs) {
  double sum = 0;
  for (size_t row = 0; row < pairs.size(); ++row)
    sum += pairs[row] == kUnassigned ? limit : costs[row * columns + pairs[row]];
  return sum;
}

/// The definition: tries every way to give columns (or none) to the rows.
double least_total(const std::vector<float>& costs, int rows, int columns, float limit, int row = 0,
                   unsigned used = 0) {
  if (row == rows) return 0;
  double best = limit + least_total(costs, rows, columns, limit, row + 1, used);
  for (int column = 0; column < columns; ++column)
    if (!(used & (1u << column)))
      best = std::min(best,
                      costs[row * columns + column] +
                          least_total(costs, rows, columns, limit, row + 1, used | (1u << column)));
  return best;
}

TEST(Assignment, PrefersTheLeastSumOverTheBestSinglePair) {
  // Taking 0.1 first would leave 0.9: 1.0 against 0.2 + 0.3.
  EXPECT_THAT(assign(std::vector<float>{0.1f, 0.2f, 0.3f, 0.9f}, 2, 2, 2.0f), ElementsAre(1, 0));
}

TEST(Assignment, LeavesOutPairsDearerThanTheLimit) {
  EXPECT_THAT(assign(std::vector<float>{0.9f, 0.95f, 0.2f, 0.9f}, 2, 2, 0.8f),
              ElementsAre(kUnassigned, 0));
}

TEST(Assignment, TakesAnyNumberOfRowsAndColumns) {
  EXPECT_THAT(assign({}, 0, 3, 1.0f), ElementsAre());
  EXPECT_THAT(assign({}, 2, 0, 1.0f), ElementsAre(kUnassigned, kUnassigned));
  EXPECT_THAT(assign(std::vector<float>{0.5f, 0.1f, 0.3f}, 1, 3, 1.0f), ElementsAre(1));
  EXPECT_THAT(assign(std::vector<float>{0.5f, 0.1f, 0.3f}, 3, 1, 1.0f),
              ElementsAre(kUnassigned, 0, kUnassigned));
  EXPECT_THROW(assign(std::vector<float>{1, 2}, 2, 2, 1.0f), Error);
}

TEST(Assignment, EqualsTheDefinitionOnRandomCosts) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> cost(0, 1);
  for (int round = 0; round < 300; ++round) {
    const int rows = 1 + static_cast<int>(random() % 5);
    const int columns = 1 + static_cast<int>(random() % 5);
    std::vector<float> costs(rows * columns);
    for (float& c : costs) c = cost(random);
    const std::vector<int> pairs = assign(costs, rows, columns, 0.6f);
    for (int row = 0; row < rows; ++row) {
      if (pairs[row] == kUnassigned) continue;
      EXPECT_LE(costs[row * columns + pairs[row]], 0.6f);
      EXPECT_EQ(std::count(pairs.begin(), pairs.end(), pairs[row]), 1);
    }
    EXPECT_NEAR(total(costs, columns, 0.6f, pairs), least_total(costs, rows, columns, 0.6f), 1e-5);
  }
}

}  // namespace
}  // namespace prismvid::vision
