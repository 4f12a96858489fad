#pragma once

#include <utility>
#include <vector>

#include "nn/cuda/driver.h"
#include "nn/cuda/sample_arguments.h"

namespace prismvid::cuda {

/// How to pick the tokens of one sequence; as nn::SamplingOptions.
struct TokenRule {
  float temperature = 0;  // 0: the likeliest
  int top_k = 0;          // 0: off, at most kMostTopK
  float top_p = 1, min_p = 0;
  float presence_penalty = 0, frequency_penalty = 0, repetition_penalty = 1;
  std::vector<std::pair<int, int>> counts;    // of each token that was picked
  std::vector<std::pair<int, float>> biases;  // added to logits

  bool has_penalties() const {
    return presence_penalty != 0 || frequency_penalty != 0 || repetition_penalty != 1;
  }
};

/// Draws tokens from logits on the device, as nn::Sampler does from the same numbers. Not
/// thread-safe.
class TokenSampler {
 public:
  TokenSampler(int most_tokens, int vocabulary);

  /// From now on the rules are these, one for each token of a step. Nothing may be running.
  void start(const std::vector<TokenRule>& rules);
  /// The numbers in [0, 1) that draw the tokens of step `step`, counted from start(). Before
  /// draw() runs for it, and at most kHistory steps ahead.
  void set_uniforms(int step, const std::vector<double>& uniforms);
  /// Starts the kernels: `next` says where the logits are, which are changed, and where the result
  /// goes.
  void draw(const GreedyArguments& next, int tokens, CUstream stream) const;

 private:
  void set_row(std::vector<DeviceBuffer>& rows, size_t index, const std::vector<int>& values);

  int vocabulary_;
  DeviceBuffer rules_, states_, bins_, sums_, list_;
  HostBuffer uniforms_;
  std::vector<DeviceBuffer> counts_, biases_;  // of tokens that have them
};

}  // namespace prismvid::cuda
