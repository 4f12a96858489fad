#include "nn/linear.h"

namespace prismvid::nn {

mx::array multiply_transposed(const mx::array& x, const Matrix& matrix) {
  if (!matrix.is_quantized()) return mx::matmul(x, mx::swapaxes(matrix.weight, -1, -2));
  const Quantization& q = matrix.quantization;
  return mx::quantized_matmul(x, matrix.weight, *matrix.scales, matrix.biases, true, q.group_size,
                              q.bits, q.mode);
}

mx::array Linear::operator()(const mx::array& x) const {
  if (const auto* packed = std::get_if<std::shared_ptr<const KernelMatrix>>(&weights_))
    return multiply_transposed(x, *packed);
  const auto& [matrix, bias] = std::get<Plain>(weights_);
  const mx::array y = multiply_transposed(x, matrix);
  return bias ? y + *bias : y;
}

}  // namespace prismvid::nn
