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

}  // namespace

DenseMatrix::DenseMatrix(const ConstRows& weights, const void* bias, NumberType bias_type,
                         ThreadPool& pool)
    : rows_(weights.rows),
      columns_(weights.columns),
      type_(weights.type),
      data_(nullptr, std::free) {
  check(type_ != NumberType::kFloat16, ErrorCode::kInvalidArgument,
        "dense matrix: weights must be f32 or bf16, got f16");
  check(rows_ > 0 && columns_ > 0 && columns_ % 16 == 0, ErrorCode::kInvalidArgument,
        "dense matrix: needs rows and a multiple of 16 columns, got ", rows_, " x ", columns_);
  data_ = allocate_aligned(bytes());
  const std::size_t number = byte_size(type_);
  pool.parallel_for(whole_blocks(rows_), [&](int block) {
    const std::size_t block_bytes = kBlockRows * columns_ * number;
    std::memset(data_.get() + block * block_bytes, 0, block_bytes);
    const int last = std::min((block + 1) * kBlockRows, rows_);
    for (int row = block * kBlockRows; row < last; ++row) {
      const auto* in = static_cast<const std::uint8_t*>(at_row(weights, row));
      for (int k = 0; k < columns_; ++k)
        std::memcpy(data_.get() + dense_index(type_, columns_, row, k) * number, in + k * number,
                    number);
    }
  });
  if (bias == nullptr) return;
  bias_.resize(whole_blocks(rows_) * kBlockRows);
  for (int row = 0; row < rows_; ++row) bias_[row] = load_number(bias, bias_type, row);
}

std::size_t DenseMatrix::bytes() const {
  return std::size_t(whole_blocks(rows_)) * kBlockRows * columns_ * byte_size(type_);
}

void dense_linear(const Context& context, const DenseMatrix& matrix, const ConstRows& input,
                  const Rows& output) {
  check(input.columns == matrix.columns() && output.columns == matrix.rows() &&
            input.rows == output.rows,
        ErrorCode::kInvalidArgument, "dense linear: input ", input.rows, " x ", input.columns,
        " and output ", output.rows, " x ", output.columns, " do not fit a matrix of ",
        matrix.rows(), " x ", matrix.columns());
  const int kind = static_cast<int>(matrix.type());
  run_linear(context, input, output, matrix.columns(), context.table.prepare_dense[kind],
             [&](const LinearTask& task) {
               context.table.multiply_dense[kind]({.matrix = matrix.blocks(),
                                                   .bias = matrix.bias(),
                                                   .first_block = task.first_block,
                                                   .last_block = task.last_block,
                                                   .prepared = task.prepared,
                                                   .tokens = task.output.rows,
                                                   .output = task.output.data,
                                                   .output_type = task.output.type,
                                                   .output_stride = task.output.stride});
             });
}

}  // namespace prismvid::nn::kernels
