#pragma once

#include <vector>

#include "nn/kernels/aligned_memory.h"
#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// A matrix of f32 or bf16 in the order in which the kernels read it (dense_index() says where a
/// weight is), rows rounded up to 16, with an optional bias for each row.
class DenseMatrix {
 public:
  /// `bias`: `weights.rows` numbers of `bias_type`, or null.
  /// Throws kInvalidArgument for f16 weights and for columns that are not a multiple of 16.
  DenseMatrix(const ConstRows& weights, const void* bias, NumberType bias_type, ThreadPool& pool);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  NumberType type() const { return type_; }
  std::size_t bytes() const;
  DenseBlocks blocks() const { return {data_.get(), type_, rows_, columns_}; }
  const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }

 private:
  int rows_, columns_;
  NumberType type_;
  AlignedMemory data_;
  std::vector<float> bias_;
};

/// output (tokens, matrix rows) = input (tokens, matrix columns) times the matrix transposed, plus
/// its bias and `addend` (tokens, matrix rows), where there are. With bf16 weights and BF16 the
/// input is rounded to bf16; sums are f32.
void dense_linear(const Context& context, const DenseMatrix& matrix, const ConstRows& input,
                  const Rows& output, const ConstRows* addend = nullptr);

}  // namespace prismvid::nn::kernels
