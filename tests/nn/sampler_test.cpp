#include "nn/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace prismvid::nn {
namespace {

// With many equal values, masked ones and NaN.
std::vector<float> logits_of(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = static_cast<float>(random() % 1000) / 50;
  for (int i = 0; i < count / 10; ++i) logits[random() % count] = -INFINITY;
  if (count > 20) logits[random() % count] = NAN;
  return logits;
}

TEST(Sampler, TheLikeliestAreThoseOfAWholeSort) {
  for (int count : {1, 5, 100, 20000}) {
    const auto logits = logits_of(count, count);
    std::vector<int> order;
    for (int i = 0; i < count; ++i)
      if (logits[i] > -INFINITY) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return logits[a] > logits[b]; });
    for (size_t kept : {0, 1, 2, 20, 1000, 20000, 50000}) {
      const auto best = likeliest(logits, kept);
      ASSERT_EQ(best.size(), std::min(kept, order.size())) << count;
      for (size_t i = 0; i < best.size(); ++i) {
        ASSERT_EQ(best[i].id, order[i]) << count << " " << kept << " " << i;
        ASSERT_EQ(best[i].log_probability, logits[order[i]]);
      }
    }
  }
}

TEST(Sampler, ArgmaxIsTheFirstLargestWhereverItLies) {
  for (int count : {1, 15, 16, 17, 40, 1001}) {
    for (int at = 0; at < count; ++at) {
      std::vector<float> values(count, -3.0f);
      values[at] = values.back() = 5.0f;
      ASSERT_EQ(argmax(values), at) << count;
    }
  }
  EXPECT_EQ(argmax(std::vector<float>{NAN, 1.0f, 2.0f, NAN}), 2);
  EXPECT_EQ(argmax(std::vector<float>(40, -INFINITY)), 0);
}

TEST(Sampler, PicksFollowTheProbabilitiesOfTheKept) {
  SamplingOptions options;
  options.temperature = 0.5f;
  options.top_k = 2;
  Sampler sampler(options);
  int first = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<float> logits(100, 0.0f);
    logits[7] = 3.0f;
    logits[60] = 3.5f;
    const int id = sampler.pick(logits);
    ASSERT_TRUE(id == 7 || id == 60);
    first += id == 60;
  }
  EXPECT_NEAR(static_cast<double>(first) / kDraws, 1 / (1 + std::exp(-1.0)), 0.03);
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  SamplingOptions options;
  options.temperature = 1;
  options.top_p = 0.6f;
  Sampler sampler(options);
  for (int i = 0; i < 200; ++i) {
    std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
    ASSERT_NE(sampler.pick(logits), 2);
  }
}

// As where a device picks: it draws by the numbers that this sampler would have drawn by.
TEST(Sampler, WhatADeviceTookLeavesItAsItsOwnPicksDo) {
  SamplingOptions options;
  options.temperature = 1;
  options.presence_penalty = 5;
  options.seed = 4;
  Sampler own(options), told(options);
  for (int step = 0; step < 30; ++step) {
    std::vector<float> logits = logits_of(500, static_cast<unsigned>(step)), same = logits;
    if (step % 3 == 0) {
      ASSERT_EQ(told.pick(same), own.pick(logits)) << step;
    } else {
      ASSERT_EQ(told.upcoming(3), own.upcoming(3));
      told.take(own.pick(logits));
    }
    ASSERT_EQ(told.counts(), own.counts());
  }
}

TEST(Sampler, GreedyTakesDrawNothing) {
  SamplingOptions options;
  Sampler sampler(options);
  const auto before = sampler.upcoming(2);
  sampler.take(7);
  EXPECT_EQ(sampler.upcoming(2), before);
}

}  // namespace
}  // namespace prismvid::nn
