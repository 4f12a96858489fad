#include "nn/linear.h"

#include "nn/embedding.h"

namespace prismvid::nn {
namespace {

bool on_cuda() {
#ifdef PRISMVID_CUDA
  return mx::default_device() == mx::Device::gpu;
#else
  return false;
#endif
}

}  // namespace

mx::array multiply_transposed(const mx::array& x, const Matrix& matrix) {
  if (!matrix.is_quantized()) return mx::matmul(x, mx::swapaxes(matrix.weight, -1, -2));
  // MLX's CUDA product of packed weights is a fifth as fast as its bfloat16 one once there are many
  // rows, and for a few it is compiled when first used, which takes many seconds.
  if (on_cuda() && x.size() / x.shape(-1) > 1)
    return mx::matmul(x, mx::swapaxes(mx::astype(dequantized(matrix), x.dtype()), -1, -2));
  const Quantization& q = matrix.quantization;
  return mx::quantized_matmul(x, matrix.weight, *matrix.scales, matrix.biases, true, q.group_size,
                              q.bits, q.mode);
}

SharedMatrix Linear::kernel_matrix() const {
  const auto* packed = std::get_if<SharedMatrix>(&weights_);
  return packed ? *packed : nullptr;
}

const Matrix* Linear::plain_matrix() const {
  const auto* plain = std::get_if<Plain>(&weights_);
  return plain && !plain->bias ? &plain->matrix : nullptr;
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

std::vector<mx::array> multiply_each(const mx::array& x,
                                     std::initializer_list<const Linear*> layers) {
  constexpr int kFewTokens = 16;
  std::vector<SharedMatrix> matrices;
  std::vector<int> ends;
  for (const Linear* layer : layers) {
    const SharedMatrix matrix = layer->kernel_matrix();
    if (!matrix || !matrix->quantized()) break;
    matrices.push_back(matrix);
    ends.push_back((ends.empty() ? 0 : ends.back()) + matrix->rows());
  }
  if (matrices.size() == layers.size() && x.size() / x.shape(-1) <= kFewTokens) {
    ends.pop_back();
    return mx::split(multiply_together(x, std::move(matrices)), mx::Shape(ends.begin(), ends.end()),
                     -1);
  }
  std::vector<mx::array> products;
  for (const Linear* layer : layers) products.push_back((*layer)(x));
  return products;
}

}  // namespace prismvid::nn
