#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "nn/mlx.h"

namespace prismvid::nn {

/// Keys and values of one layer of one sequence. Grows in steps of 256 tokens, which MLX's CUDA
/// attention wants. Not thread-safe.
class KeyValueCache {
 public:
  /// Appends keys and values (1, heads, tokens, head_dim); returns all there are so far.
  std::pair<mx::array, mx::array> append(const mx::array& keys, const mx::array& values);

  /// Keys and values of tokens [begin, end), which must be there.
  std::pair<mx::array, mx::array> tokens(int begin, int end) const;

  int size() const { return size_; }

  /// Forgets all but the first `size` tokens.
  void truncate(int size) { size_ = std::min(size_, size); }

 private:
  std::optional<mx::array> keys_;
  std::optional<mx::array> values_;
  int size_ = 0;
};

}  // namespace prismvid::nn
