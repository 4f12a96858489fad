#include "nn/linear.h"

namespace prismvid::nn {

mx::array multiply_transposed(const mx::array& x, const Matrix& matrix) {
  if (!matrix.is_quantized()) return mx::matmul(x, mx::swapaxes(matrix.weight, -1, -2));
  const Quantization& q = matrix.quantization;
  return mx::quantized_matmul(x, matrix.weight, *matrix.scales, matrix.biases, true, q.group_size,
                              q.bits, q.mode);
}

SharedMatrix Linear::kernel_matrix() const {
  const auto* packed = std::get_if<SharedMatrix>(&weights_);
  return packed ? *packed : nullptr;
}

mx::array Linear::operator()(const mx::array& x) const {
  if (const auto packed = kernel_matrix()) return multiply_transposed(x, packed);
  const auto& [matrix, bias] = std::get<Plain>(weights_);
  const mx::array y = multiply_transposed(x, matrix);
  return bias ? y + *bias : y;
}

mx::array Linear::plus(const mx::array& x, const mx::array& other) const {
  if (const auto packed = kernel_matrix()) return multiply_transposed(x, packed, other);
  return other + (*this)(x);
}

mx::array Linear::in_float32(const mx::array& x) const {
  if (const auto packed = kernel_matrix())
    return multiply_transposed(x, packed, std::nullopt, mx::float32);
  return mx::astype((*this)(x), mx::float32);
}

}  // namespace prismvid::nn
