// Tokens drawn on the device against the definition, by a whole sort and in double.
#include "nn/cuda/token_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <tuple>

#include "nn/cuda/cuda_test.h"
#include "nn/model_logits.h"
#include "nn/sampler.h"

namespace prismvid::cuda {
namespace {

using nn::logits_of;

/// The tokens that have a chance, in the order in which they are drawn, and their shares.
struct Shares {
  std::vector<int> ids;
  std::vector<double> until;  // sums of shares
};

Shares shares_of(std::vector<float> logits, const TokenRule& rule) {
  for (const auto& [id, count] : rule.counts) {
    float& logit = logits[id];
    logit = logit > 0 ? logit / rule.repetition_penalty : logit * rule.repetition_penalty;
    logit -= rule.presence_penalty + rule.frequency_penalty * static_cast<float>(count);
  }
  for (const auto& [id, bias] : rule.biases) logits[id] += bias;
  std::vector<int> order;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > -INFINITY) order.push_back(static_cast<int>(i));
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  if (rule.temperature == 0) order.resize(1);
  if (rule.top_k > 0 && order.size() > static_cast<size_t>(rule.top_k)) order.resize(rule.top_k);
  const auto chance = [&](int id) {
    const double difference = static_cast<double>(logits[id]) - logits[order[0]];
    return difference == 0 ? 1 : std::exp(difference / rule.temperature);
  };
  double total = 0, before = 0;
  for (const int id : order) total += chance(id);
  Shares shares;
  for (const int id : order) {
    if (before >= rule.top_p * total) break;
    before += chance(id);
    if (chance(id) >= rule.min_p) shares.ids.push_back(id);
  }
  if (rule.top_k == 0) std::sort(shares.ids.begin(), shares.ids.end());
  double sum = 0;
  for (const int id : shares.ids) shares.until.push_back(sum += chance(id));
  for (double& until : shares.until) until /= sum;
  return shares;
}

class CudaTokenSampler : public OnGpu {
 protected:
  void prepare(int tokens, int vocabulary) {
    Kernels::instance().use();
    tokens_ = tokens, vocabulary_ = vocabulary;
    history_.emplace(static_cast<size_t>(kHistory * tokens) * 4);
    sampler_.emplace(tokens, vocabulary);
    const size_t count = static_cast<size_t>(tokens);
    logits_ = DeviceBuffer(count * vocabulary * 4);
    partial_ = DeviceBuffer(count * kSampleBlocks * sizeof(float2));
    for (DeviceBuffer* buffer : {&arrived_, &ids_, &positions_, &lengths_, &step_})
      *buffer = DeviceBuffer(count * 4);
  }

  // The tokens that step `step` draws.
  std::vector<int> draw(int step, const std::vector<std::vector<float>>& logits,
                        const std::vector<double>& uniforms) {
    for (int i = 0; i < tokens_; ++i)
      check_driver(cuMemcpyHtoD(logits_.address() + static_cast<size_t>(i) * vocabulary_ * 4,
                                logits[i].data(), logits[i].size() * 4),
                   "writing logits");
    sampler_->set_uniforms(step, uniforms);
    GreedyArguments next{};
    next.logits = logits_.as<float>();
    next.partial = partial_.as<float2>();
    next.arrived = arrived_.as<uint32_t>();
    next.ids = ids_.as<int>(), next.positions = positions_.as<int>();
    next.lengths = lengths_.as<int>(), next.step = step_.as<int>();
    next.history = history_->device<int>();
    next.vocabulary = vocabulary_;
    next.advance = 1;
    sampler_->draw(next, tokens_, nullptr);
    check_driver(cuStreamSynchronize(nullptr), "drawing");
    const int* row = history_->host<int>() + step % kHistory * tokens_;
    return {row, row + tokens_};
  }

  int tokens_ = 0, vocabulary_ = 0;
  std::optional<TokenSampler> sampler_;
  DeviceBuffer logits_, partial_, arrived_, ids_, positions_, lengths_, step_;
  std::optional<HostBuffer> history_;
};

void expect_drawn(int id, const Shares& shares, double uniform) {
  const auto at = std::find(shares.ids.begin(), shares.ids.end(), id) - shares.ids.begin();
  ASSERT_LT(at, static_cast<std::ptrdiff_t>(shares.ids.size())) << id << " has no chance";
  // A token at the edge of top-p may fall on the other side by rounding: one token's share.
  EXPECT_GT(uniform, (at > 0 ? shares.until[at - 1] : 0) - 2e-5) << id;
  EXPECT_LT(uniform, shares.until[at] + 2e-5) << id;
}

std::vector<TokenRule> rules() {
  std::vector<TokenRule> rules;
  for (const auto& [temperature, top_k, top_p, min_p] :
       std::vector<std::tuple<float, int, float, float>>{{1, 0, 1, 0},
                                                         {0.7f, 20, 0.8f, 0},
                                                         {1.5f, 0, 0.9f, 0},
                                                         {1, 0, 0.5f, 0.01f},
                                                         {0.8f, 0, 1, 0.05f},
                                                         {1, 256, 0.95f, 0.02f},
                                                         {1, 1, 1, 0},
                                                         {2, 3, 1, 0},
                                                         {1, 0, 1e-6f, 0},
                                                         {0, 0, 1, 0}})
    rules.push_back({temperature, top_k, top_p, min_p});
  return rules;
}

TEST_F(CudaTokenSampler, ADrawIsTheTokenWhoseShareHoldsTheNumber) {
  const auto all = rules();
  std::mt19937_64 random(3);
  for (const int vocabulary : {1, 7, 768, 151936})
    for (const float spread : {0.05f, 3.0f, 20.0f}) {
      prepare(static_cast<int>(all.size()), vocabulary);
      sampler_->start(all);
      for (int step = 0; step < 12; ++step) {
        std::vector<std::vector<float>> logits;
        std::vector<double> uniforms;
        for (size_t i = 0; i < all.size(); ++i) {
          logits.push_back(logits_of(vocabulary, static_cast<unsigned>(step * 100 + i), spread));
          logits[i][random() % logits[i].size()] = 1;  // one at least
          uniforms.push_back(std::uniform_real_distribution<double>(0, 1)(random));
        }
        const auto ids = draw(step, logits, uniforms);
        for (size_t i = 0; i < all.size(); ++i) {
          SCOPED_TRACE("rule " + std::to_string(i) + ", step " + std::to_string(step) + ", " +
                       std::to_string(vocabulary) + " tokens, spread " + std::to_string(spread));
          expect_drawn(ids[i], shares_of(logits[i], all[i]), uniforms[i]);
        }
      }
    }
}

TEST_F(CudaTokenSampler, EqualLogitsAreKeptByTheirIds) {
  prepare(3, 20000);
  sampler_->start({{1, 0, 0.25f, 0}, {1, 100, 1, 0}, {1, 100, 0.5f, 0}});
  const std::vector<float> equal(20000, 1.0f);
  for (int step = 0; step < 20; ++step) {
    const auto ids = draw(step, {equal, equal, equal}, {0.05 * step, 0.05 * step, 0.05 * step});
    EXPECT_EQ(ids, (std::vector<int>{250 * step, 5 * step, 5 * step / 2}));
  }
}

TEST_F(CudaTokenSampler, PenaltiesCountWhatWasPickedOnTheDevice) {
  TokenRule rule{1, 0, 0.9f, 0, 0.5f, 0.25f, 1.3f, {{5, 2}, {700, 1}}, {{3, 4.0f}, {9, -100.0f}}};
  prepare(1, 1000);
  sampler_->start({rule});
  std::mt19937_64 random(1);
  for (int step = 0; step < 50; ++step) {
    const auto logits = logits_of(1000, static_cast<unsigned>(step % 3), 3);
    const double uniform = std::uniform_real_distribution<double>(0, 1)(random);
    const int id = draw(step, {logits}, {uniform})[0];
    expect_drawn(id, shares_of(logits, rule), uniform);
    const auto seen = std::find_if(rule.counts.begin(), rule.counts.end(),
                                   [&](const auto& count) { return count.first == id; });
    if (seen == rule.counts.end())
      rule.counts.emplace_back(id, 1);
    else
      ++seen->second;
  }
}

TEST_F(CudaTokenSampler, WhatIsOutsideTheMaskIsNotPicked) {
  for (const int vocabulary : {1, 70, 1000, 151936}) {
    std::vector<TokenRule> all = rules();
    for (TokenRule& rule : all) rule.masked = &rule != &all.back();  // the last takes any
    prepare(static_cast<int>(all.size()), vocabulary);
    sampler_->start(all);
    std::mt19937_64 random(5);
    for (int step = 0; step < 8; ++step) {
      std::vector<std::vector<float>> logits, left;
      std::vector<double> uniforms;
      for (size_t i = 0; i < all.size(); ++i) {
        logits.push_back(logits_of(vocabulary, static_cast<unsigned>(step * 100 + i), 3));
        left.push_back(logits.back());
        uniforms.push_back(std::uniform_real_distribution<double>(0, 1)(random));
        if (!all[i].masked) continue;
        const auto mask = sampler_->mask(i);
        for (uint64_t& word : mask) word = random() & random();  // a quarter
        mask[0] |= 1;                                            // one at least
        logits[i][0] = left[i][0] = 1;
        for (int id = 0; id < vocabulary; ++id)
          if ((mask[id / 64] >> id % 64 & 1) == 0) left[i][id] = -INFINITY;
      }
      sampler_->send_masks(tokens_, nullptr);
      const auto ids = draw(step, logits, uniforms);
      for (size_t i = 0; i < all.size(); ++i) {
        SCOPED_TRACE("rule " + std::to_string(i) + ", step " + std::to_string(step));
        expect_drawn(ids[i], shares_of(left[i], all[i]), uniforms[i]);
      }
    }
  }
}

TEST_F(CudaTokenSampler, PicksWhatTheSamplerPicks) {
  nn::SamplingOptions options;
  options.temperature = 0.7f, options.top_k = 20, options.top_p = 0.8f, options.seed = 11;
  options.repetition_penalty = 1.1f;
  nn::Sampler sampler(options), mirrored(options);
  prepare(1, 151936);
  sampler_->start({{0.7f, 20, 0.8f, 0, 0, 0, 1.1f}});
  for (int step = 0; step < 40; ++step) {
    auto logits = logits_of(151936, static_cast<unsigned>(step), 3);
    const int id = draw(step, {logits}, {mirrored.upcoming(1)[0]})[0];
    mirrored.take(id);
    EXPECT_EQ(id, sampler.pick(logits)) << step;
  }
}

TEST_F(CudaTokenSampler, LogitsWithoutDifferencesThatCountGiveTheFirstLargest) {
  prepare(4, 40);
  sampler_->start({{1, 0, 1, 0}, {1, 0, 0.5f, 0}, {1, 0, 1, 0}, {1e-42f, 5, 1, 0}});
  std::vector<float> infinite(40, 0), plain(40, 0);
  infinite[3] = infinite[17] = INFINITY;
  plain[21] = 3;
  EXPECT_EQ(
      draw(0, {std::vector<float>(40, -INFINITY), std::vector<float>(40, NAN), infinite, plain},
           {0.7, 0.7, 0.9, 0.9}),
      (std::vector<int>{0, 0, 3, 21}));
}

}  // namespace
}  // namespace prismvid::cuda
