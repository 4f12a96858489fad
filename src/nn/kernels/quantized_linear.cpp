#include "nn/kernels/quantized_linear.h"

#include "nn/kernels/linear_rounds.h"

namespace prismvid::nn::kernels {

void quantized_linear(const Context& context, const PackedMatrix& matrix, const ConstRows& input,
                      const Rows& output, Precision precision, const ConstRows* addend) {
  check_fits("quantized linear", matrix.rows(), matrix.columns(), input, output);
  const LinearKernels kernels =
      linear_kernels(context.table, precision, input.type, input.rows, matrix.bits());
  run_linear(context, input, addend, output, matrix.group_size(), kernels.prepare,
             [&](const LinearTask& task) {
               kernels.multiply(arguments_of(matrix.packed_blocks(), matrix.bias(), task));
             });
}

}  // namespace prismvid::nn::kernels
