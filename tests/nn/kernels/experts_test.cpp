#include "nn/kernels/experts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "core/error.h"
#include "nn/kernels/packed_layout.h"
#include "nn/kernels/packed_matrix.h"

namespace prismvid::nn::kernels {
namespace {

constexpr int kExperts = 5, kWidth = 64, kInner = 32;

PackedMatrix random_matrix(int rows, int columns, ThreadPool& pool, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint32_t> words(std::size_t(rows) * columns * 4 / 32);
  for (auto& word : words) word = random();
  const std::vector<float> scales(std::size_t(rows) * columns / 32, 0.02f);
  const std::vector<float> biases(scales.size(), -0.15f);
  return PackedMatrix(
      {words.data(), scales.data(), biases.data(), NumberType::kFloat32, rows, columns, 4, 32},
      pool);
}

class Experts : public testing::TestWithParam<Isa> {
 protected:
  Experts()
      : gate_(random_matrix(kExperts * kInner, kWidth, pool_, 1)),
        up_(random_matrix(kExperts * kInner, kWidth, pool_, 2)),
        down_(random_matrix(kExperts * kWidth, kInner, pool_, 3)) {}

  static ConstRows rows(const std::vector<float>& data, int columns) {
    return {data.data(), NumberType::kFloat32, static_cast<int>(data.size()) / columns, columns,
            static_cast<std::size_t>(columns)};
  }

  std::vector<float> run(const std::vector<float>& x, const std::vector<float>& scores,
                         const std::vector<float>& added, ExpertChoice choice) {
    std::vector<float> y(x.size());
    experts({kernel_table(GetParam()), pool_},
            {gate_.packed_blocks(), up_.packed_blocks(), down_.packed_blocks(), kExperts}, choice,
            rows(x, kWidth), rows(scores, kExperts), rows(added, kWidth),
            {y.data(), NumberType::kFloat32, static_cast<int>(y.size()) / kWidth, kWidth, kWidth},
            Precision::kFloat32);
    return y;
  }

  static double dot(const PackedMatrix& matrix, int row, const double* x) {
    std::vector<float> weights(matrix.columns());
    dequantize_packed_row(matrix.packed_blocks(), row, weights.data());
    double sum = 0;
    for (int k = 0; k < matrix.columns(); ++k) sum += weights[k] * x[k];
    return sum;
  }

  void expect_token(const float* x, const float* scores, const float* added, const float* y,
                    ExpertChoice choice) {
    std::vector<int> order(kExperts);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return scores[a] > scores[b]; });
    double total = 0, chosen = 0;
    for (int i = 0; i < kExperts; ++i) {
      total += std::exp(scores[order[i]]);
      if (i < choice.per_token) chosen += std::exp(scores[order[i]]);
    }
    std::vector<double> want(added, added + kWidth);
    const std::vector<double> in(x, x + kWidth);
    for (int i = 0; i < choice.per_token; ++i) {
      const int e = order[i];
      std::vector<double> hidden(kInner);
      for (int r = 0; r < kInner; ++r) {
        const double gate = dot(gate_, e * kInner + r, in.data());
        hidden[r] = gate / (1 + std::exp(-gate)) * dot(up_, e * kInner + r, in.data());
      }
      const double share = std::exp(scores[e]) / (choice.normalize ? chosen : total);
      for (int k = 0; k < kWidth; ++k) want[k] += share * dot(down_, e * kWidth + k, hidden.data());
    }
    for (int k = 0; k < kWidth; ++k) ASSERT_NEAR(y[k], want[k], 1e-4 + 1e-4 * std::abs(want[k]));
  }

  ThreadPool pool_{2};
  PackedMatrix gate_, up_, down_;
};

std::vector<float> normal(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random);
  return values;
}

TEST_P(Experts, AgreeForOneAndManyTokens) {
  for (int tokens : {1, 3, 40, 700}) {
    for (const ExpertChoice choice :
         {ExpertChoice{1, true}, {2, true}, {3, false}, {kExperts, true}}) {
      const auto x = normal(tokens * kWidth, 1), scores = normal(tokens * kExperts, 2),
                 added = normal(tokens * kWidth, 3), y = run(x, scores, added, choice);
      for (int t = 0; t<tokens; t += tokens> 100 ? 37 : 1)
        expect_token(&x[t * kWidth], &scores[t * kExperts], &added[t * kWidth], &y[t * kWidth],
                     choice);
    }
  }
}

TEST_P(Experts, NanScoresAreSeenInTheirTokenAlone) {
  const int tokens = 3;
  auto scores = normal(tokens * kExperts, 2);
  scores[kExperts + 4] = NAN;
  const auto y = run(normal(tokens * kWidth, 1), scores, normal(tokens * kWidth, 3), {2, true});
  for (int t = 0; t < tokens; ++t) EXPECT_EQ(std::isnan(y[t * kWidth]), t == 1);
}

TEST_P(Experts, RefuseScoresOfAnotherNumberOfExperts) {
  const auto x = normal(kWidth, 1);
  EXPECT_THROW(run(x, normal(kExperts, 2), normal(2 * kWidth, 3), {2, true}), Error);
  EXPECT_THROW(run(x, normal(2 * kExperts, 2), x, {2, true}), Error);
}

INSTANTIATE_TEST_SUITE_P(Levels, Experts, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return to_string(isa.param); });

}  // namespace
}  // namespace prismvid::nn::kernels
