#pragma once

#include <algorithm>
#include <vector>

#include "nn/kernel_runtime.h"
#include "nn/mlx.h"

namespace prismvid::nn {

/// How keys and values are kept: as they come, or with fewer bits in groups of adjacent channels,
/// each with a scale and a bias (MLX's affine form).
struct KeyValueFormat {
  int bits = 16;  // 8, 4, or 16: as they come
  int group_size = 64;

  bool is_quantized() const { return bits < 16; }
  /// The largest group that fits. Throws Error(kInvalidArgument) for other bits and for head sizes
  /// that are no multiple of 32.
  static KeyValueFormat of(int bits, int head_dim);
  /// Of one head of one token's keys, or values, that are `number_bytes` each as they come.
  uint64_t head_bytes(int head_dim, uint64_t number_bytes) const;
};

/// Keys and values of one layer of one sequence. Grows in steps of 256 tokens, which MLX's CUDA
/// attention wants. Not thread-safe.
class KeyValueCache {
 public:
  /// `expected` tokens find room without moving those before them.
  explicit KeyValueCache(KeyValueFormat format = {}, int expected = 0)
      : format_(format), expected_(expected) {}

  /// Appends keys and values (1, heads, tokens, head_dim).
  void append(const mx::array& keys, const mx::array& values);

  /// Attention of the newest tokens' queries (1, heads, tokens, head_dim) to all there are so far:
  /// (1, tokens, heads * head_dim).
  mx::array attention(const mx::array& queries, const SharedKernels& kernels) const;

  /// Tokens [begin, end), which must be there, as they are kept: keys and values, or the words,
  /// scales and biases of both; tokens are axis 2 of each.
  std::vector<mx::array> tokens(int begin, int end) const;
  /// Appends what tokens() of a cache of the same format gave.
  void append_kept(const std::vector<mx::array>& arrays);

  int size() const { return size_; }

  /// Makes room for `tokens` in all where there are some, for kernels that write in place behind
  /// size().
  void reserve(int tokens);
  /// Buffers (1, heads, room, head_dim) of a cache in 16 bits that has tokens.
  const mx::array& key_buffer() const { return buffers_.at(0); }
  const mx::array& value_buffer() const { return buffers_.at(1); }
  /// The same as heads with `tokens` more behind size(), for which there is room: a CPU writes
  /// them there. Waits until what is kept is computed.
  kernels::Heads keys_with(int tokens) { return heads_with(0, tokens); }
  kernels::Heads values_with(int tokens) { return heads_with(1, tokens); }
  /// Counts tokens that were written in place.
  void advance(int tokens) { size_ += tokens; }

  /// Forgets all but the first `size` tokens.
  void truncate(int size) { size_ = std::min(size_, size); }

 private:
  mx::array causal_attention(const mx::array& queries, const SharedKernels& kernels) const;
  kernels::Heads heads_with(int buffer, int tokens);

  KeyValueFormat format_;
  int expected_;
  std::vector<mx::array> buffers_;  // as tokens(), with room behind
  int size_ = 0;
};

}  // namespace prismvid::nn
