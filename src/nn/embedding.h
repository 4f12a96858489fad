#pragma once

#include "nn/linear.h"

namespace prismvid::nn {

/// A table of vectors, plain or quantised, that can also serve as the output head.
class Embedding {
 public:
  explicit Embedding(Matrix table) : table_(std::move(table)) {}
  explicit Embedding(std::shared_ptr<const KernelMatrix> table) : table_(std::move(table)) {}

  /// (tokens) int32 -> (tokens, width): float32 where the CPU kernels read the table, else in its
  /// dtype.
  mx::array operator()(const mx::array& ids) const;

  /// The same in float32.
  mx::array in_float32(const mx::array& ids) const;

  /// in_float32() at once, on the calling thread.
  void look_up(std::span<const int32_t> ids, const kernels::Rows& output) const;

  /// Null where the CPU kernels read it.
  const Matrix* plain_matrix() const { return std::get_if<Matrix>(&table_); }

  /// Null where MLX reads it.
  SharedMatrix kernel_matrix() const {
    const auto* packed = std::get_if<SharedMatrix>(&table_);
    return packed ? *packed : nullptr;
  }

  /// Logits of a tied head, float32: (..., width) -> (..., count).
  mx::array as_linear(const mx::array& x) const;

 private:
  std::variant<Matrix, std::shared_ptr<const KernelMatrix>> table_;
};

/// The whole matrix unpacked; itself where it is plain.
mx::array dequantized(const Matrix& matrix);

}  // namespace prismvid::nn
