#include "nn/token_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "nn/model_logits.h"
#include "nn/sampler.h"

namespace prismvid::nn {
namespace {

constexpr int kVocabulary = 151936;

struct Settings {
  float temperature = 1, top_p = 1, min_p = 0;
};

/// The definition, by a whole sort and in double: probabilities of all tokens by id.
std::vector<double> probabilities(const std::vector<float>& logits, const Settings& s) {
  std::vector<int> order;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > -INFINITY) order.push_back(static_cast<int>(i));
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  std::vector<double> result(logits.size());
  const auto raw = [&](int id) {
    return std::exp((static_cast<double>(logits[id]) - logits[order[0]]) / s.temperature);
  };
  double total = 0, before = 0, kept = 0;
  for (int id : order) total += raw(id);
  for (int id : order) {
    if (s.top_p < 1 && before >= s.top_p * total) break;
    before += raw(id);
    if (raw(id) >= s.min_p) kept += result[id] = raw(id);
  }
  for (double& p : result) p /= kept;
  return result;
}

TokenWeights weights_of(const std::vector<float>& logits, const Settings& s) {
  TokenWeights weights(logits, s.temperature);
  if (s.top_p < 1) weights.keep_top_p(s.top_p);
  if (s.min_p > 0) weights.keep_min_p(s.min_p);
  return weights;
}

TEST(TokenWeights, AreTheProbabilitiesOfTheDefinition) {
  for (const Settings& s : std::vector<Settings>{{1, 1, 0},
                                                 {0.7f, 1, 0},
                                                 {1.5f, 0.9f, 0},
                                                 {1, 0.5f, 0},
                                                 {1, 1, 0.05f},
                                                 {0.8f, 0.95f, 0.01f},
                                                 {1, 1e-6f, 0}}) {
    for (int count : {1, 7, 511, 513, 20000, kVocabulary}) {
      const auto logits = logits_of(count, count, 3);
      if (std::none_of(logits.begin(), logits.end(), [](float x) { return x > -INFINITY; }))
        continue;
      const auto expected = probabilities(logits, s);
      const TokenWeights weights = weights_of(logits, s);
      double total = 0, moved = 0;
      for (float weight : weights.weights()) total += weight;
      for (int i = 0; i < count; ++i) moved += std::abs(weights.weights()[i] / total - expected[i]);
      // A token at the edge of top-p may fall on the other side by rounding: one token's share.
      EXPECT_LT(moved, 2e-4) << count << " " << s.temperature << " " << s.top_p << " " << s.min_p;
    }
  }
}

TEST(TokenWeights, ADrawIsTheTokenWhoseShareHoldsTheNumber) {
  for (float spread : {0.05f, 3.0f, 20.0f}) {
    const auto logits = logits_of(kVocabulary, 5, spread);
    const auto expected = probabilities(logits, {});
    std::vector<double> until(kVocabulary + 1);
    for (int i = 0; i < kVocabulary; ++i) until[i + 1] = until[i] + expected[i];
    const TokenWeights weights = weights_of(logits, {});
    std::mt19937_64 random(1);
    for (int i = 0; i < 300; ++i) {
      const double uniform = std::uniform_real_distribution<double>(0, 1)(random);
      const int id = weights.draw(uniform);
      ASSERT_GT(expected[id], 0);
      ASSERT_GT(uniform, until[id] - 1e-6);
      ASSERT_LT(uniform, until[id + 1] + 1e-6);
    }
  }
}

TEST(TokenWeights, TheEndsAreTokensThatHaveAChance) {
  std::vector<float> logits(2000, -INFINITY);
  logits[700] = logits[1300] = 2;
  const TokenWeights weights(logits, 1);
  EXPECT_EQ(weights.draw(0), 700);
  EXPECT_EQ(weights.draw(0.4999), 700);
  EXPECT_EQ(weights.draw(0.5), 1300);
  EXPECT_EQ(weights.draw(std::nextafter(1.0, 0.0)), 1300);
}

TEST(TokenWeights, LogitsWithoutDifferencesThatCountGiveTheFirstLargest) {
  EXPECT_EQ(TokenWeights(std::vector<float>(40, -INFINITY), 1).draw(0.7), 0);
  EXPECT_EQ(TokenWeights(std::vector<float>(40, NAN), 1).draw(0.7), 0);
  EXPECT_EQ(TokenWeights(std::vector<float>{0, INFINITY, 5, INFINITY}, 1).draw(0.9), 1);
  EXPECT_EQ(TokenWeights(std::vector<float>{0, 3, 2}, 1e-42f).draw(0.9), 1);
}

TEST(TokenWeights, EqualOnesAtTheEdgeOfTopPAreKeptByTheirIds) {
  const std::vector<float> logits(10, 1.0f);
  TokenWeights weights(logits, 1);
  weights.keep_top_p(0.25f);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(weights.weights()[i] > 0, i < 3) << i;
}

TEST(TokenWeights, TheSameSeedPicksTheSameTokens) {
  SamplingOptions options;
  options.temperature = 1;
  options.seed = 9;
  Sampler one(options), other(options);
  options.seed = 10;
  Sampler different(options);
  int differences = 0;
  for (int i = 0; i < 20; ++i) {
    auto logits = logits_of(kVocabulary, i, 1), same = logits, again = logits;
    const int id = one.pick(logits);
    ASSERT_EQ(other.pick(same), id);
    differences += different.pick(again) != id;
  }
  EXPECT_GT(differences, 10);
}

}  // namespace
}  // namespace prismvid::nn
