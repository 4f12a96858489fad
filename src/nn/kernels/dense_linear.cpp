#include "nn/kernels/dense_linear.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "nn/kernels/linear_rounds.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

int whole_blocks(int rows) {
  return (rows + kBlockRows - 1) / kBlockRows;
}

/// (rows up to 16, words) -> (words, 16), with zeros for the rows that are missing.
void transpose_words(const ConstRows& in, int words, std::uint32_t* out) {
  constexpr int kTogether = 16;  // words of each row, a cache line
  for (int first = 0; first < words; first += kTogether, out += kTogether * kBlockRows) {
    const int count = std::min(kTogether, words - first);
    std::uint32_t tile[kBlockRows][kTogether] = {};
    for (int r = 0; r < in.rows; ++r)
      std::memcpy(tile[r], static_cast<const char*>(at_row(in, r)) + 4 * std::size_t(first),
                  4 * std::size_t(count));
    for (int k = 0; k < count; ++k)
      for (int r = 0; r < kBlockRows; ++r) out[k * kBlockRows + r] = tile[r][k];
  }
}

}  // namespace

DenseMatrix::DenseMatrix(const ConstRows& weights, const void* bias, NumberType bias_type,
                         ThreadPool& pool)
    : rows_(weights.rows), columns_(weights.columns), type_(weights.type) {
  check(type_ != NumberType::kFloat16, ErrorCode::kInvalidArgument,
        "dense matrix: weights must be f32 or bf16, got f16");
  check(rows_ > 0 && columns_ > 0 && columns_ % 16 == 0, ErrorCode::kInvalidArgument,
        "dense matrix: needs rows and a multiple of 16 columns, got ", rows_, " x ", columns_);
  data_ = allocate_aligned(bytes());
  // A word is what dense_index() keeps together: an f32 or a pair of bf16.
  const int words = static_cast<int>(columns_ * byte_size(type_) / 4);
  pool.parallel_for(whole_blocks(rows_), [&](int block) {
    const int first = block * kBlockRows, rows = std::min(kBlockRows, rows_ - first);
    transpose_words(slice(weights, first, rows), words,
                    reinterpret_cast<std::uint32_t*>(data_.get()) + std::size_t(first) * words);
  });
  if (bias == nullptr) return;
  bias_.resize(whole_blocks(rows_) * kBlockRows);
  for (int row = 0; row < rows_; ++row) bias_[row] = load_number(bias, bias_type, row);
}

std::size_t DenseMatrix::bytes() const {
  return std::size_t(whole_blocks(rows_)) * kBlockRows * columns_ * byte_size(type_);
}

void dense_linear(const Context& context, const DenseMatrix& matrix, const ConstRows& input,
                  const Rows& output, const ConstRows* addend) {
  check_fits("dense linear", matrix.rows(), matrix.columns(), input, output);
  const int kind = static_cast<int>(matrix.type());
  run_linear(
      context, input, addend, output, matrix.columns(), context.table.prepare_dense[kind],
      [&](const LinearTask& task) {
        context.table.multiply_dense[kind](arguments_of(matrix.blocks(), matrix.bias(), task));
      });
}

}  // namespace prismvid::nn::kernels
