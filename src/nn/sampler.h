#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <vector>

#include "prismvid/answer.h"

namespace prismvid::nn {

struct SamplingOptions {
  float temperature = 0;  // 0: greedy
  int top_k = 0;          // 0: off
  float top_p = 1;
  float min_p = 0;
  float presence_penalty = 0;  // penalties look at generated tokens only
  float frequency_penalty = 0;
  float repetition_penalty = 1;
  std::map<int, float> logit_bias;
  uint64_t seed = 0;
};

using prismvid::LogProbabilities;
using prismvid::TokenProbability;

/// Picks tokens from logits in the order of transformers: penalties and bias, temperature, top-k,
/// top-p, min-p. The same seed and logits give the same tokens. Not thread-safe.
class Sampler {
 public:
  /// Throws Error(kInvalidArgument) for values outside their range.
  explicit Sampler(SamplingOptions options);

  /// The next token of `logits`, which are changed, and remembers it for the penalties.
  int pick(std::span<float> logits);

  /// Whether pick() is argmax(): no temperature, no penalties, no bias.
  bool is_plain_greedy() const;

  /// Counts a token that was not picked here, for example a forced one.
  void remember(int id) { ++counts_[id]; }

  /// For a device that picks instead: the numbers in [0, 1) that the next `count` picks draw by,
  /// and what else decides them.
  std::vector<double> upcoming(int count) const;
  const SamplingOptions& options() const { return options_; }
  const std::map<int, int>& counts() const { return counts_; }
  /// Takes the device's pick, made by the first of upcoming().
  void take(int id);

 private:
  double next_uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  void penalize(std::span<float> logits) const;
  int draw(std::span<const float> logits);
  std::vector<TokenProbability> candidates(std::span<const float> logits) const;

  SamplingOptions options_;
  std::mt19937_64 random_;
  std::map<int, int> counts_;
};

/// Natural logarithms of the probabilities of `id` and of the `count` likeliest tokens, from raw
/// logits.
LogProbabilities log_probabilities(std::span<const float> logits, int id, int count);

/// The `count` largest logits and their ids, largest first and equal ones by id, without minus
/// infinity and NaN. Few are found in one pass.
std::vector<TokenProbability> likeliest(std::span<const float> logits, size_t count);

/// Index of the first largest value; NaN counts as smallest.
int argmax(std::span<const float> values);

}  // namespace prismvid::nn
