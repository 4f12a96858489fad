#include "nn/kernels/quantized_linear.h"

#include "core/error.h"
#include "nn/kernels/linear_rounds.h"

namespace prismvid::nn::kernels {

void quantized_linear(const Context& context, const PackedMatrix& matrix, const ConstRows& input,
                      const Rows& output, Precision precision, const ConstRows* addend) {
  check(input.columns == matrix.columns() && output.columns == matrix.rows() &&
            input.rows == output.rows,
        ErrorCode::kInvalidArgument, "quantized linear: input ", input.rows, " x ", input.columns,
        " and output ", output.rows, " x ", output.columns, " do not fit a matrix of ",
        matrix.rows(), " x ", matrix.columns());
  const LinearKernels kernels = linear_kernels(context.table, precision, input.type, input.rows);
  run_linear(context, input, addend, output, matrix.group_size(), kernels.prepare,
             [&](const LinearTask& task) {
               kernels.multiply({.matrix = matrix.packed_blocks(),
                                 .bias = matrix.bias(),
                                 .addend = task.addend,
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
