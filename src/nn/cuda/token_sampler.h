#pragma once

#include <cstdint>
#include <memory>
#include <span>
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
  bool masked = false;                        // only what mask() holds may be picked

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
  /// Which tokens row `index` of a step may pick, a bit each; of a rule that is masked.
  std::span<uint64_t> mask(size_t index) const;
  /// Brings the masks of so many rows to the device, before each draw(). They may be written again
  /// once it is over.
  void send_masks(int tokens, CUstream stream) const;
  /// Starts the kernels: `next` says where the logits are, which are changed, and where the result
  /// goes.
  void draw(const GreedyArguments& next, int tokens, CUstream stream) const;

 private:
  void set_row(std::vector<DeviceBuffer>& rows, size_t index, const std::vector<int>& values);

  size_t mask_words() const { return (static_cast<size_t>(vocabulary_) + 63) / 64; }

  int most_tokens_, vocabulary_;
  DeviceBuffer rules_, states_, bins_, sums_, list_;
  HostBuffer uniforms_;
  std::vector<DeviceBuffer> counts_, biases_;  // of tokens that have them
  DeviceBuffer masks_;                         // of all tokens, once one is masked
  std::unique_ptr<HostBuffer> host_masks_;
};

}  // namespace prismvid::cuda
