#include "nn/embedding.h"

#include <cstring>

namespace prismvid::nn {

mx::array Embedding::operator()(const mx::array& ids) const {
  if (const SharedMatrix packed = kernel_matrix()) return nn::look_up(ids, packed);
  const Matrix& table = std::get<Matrix>(table_);
  const auto rows = [&](const mx::array& values) { return mx::take(values, ids, 0); };
  if (!table.is_quantized()) return rows(table.weight);
  Matrix chosen{rows(table.weight), rows(*table.scales), std::nullopt, table.quantization,
                table.dtype};
  if (table.biases) chosen.biases = rows(*table.biases);
  return dequantized(chosen);
}

mx::array Embedding::in_float32(const mx::array& ids) const {
  return mx::astype((*this)(ids), mx::float32);
}

void Embedding::look_up(std::span<const int32_t> ids, const kernels::Rows& output) const {
  if (const SharedMatrix packed = kernel_matrix()) return packed->look_up(ids, output);
  mx::array rows = in_float32(mx::array(ids.begin(), {static_cast<int>(ids.size())}));
  rows.eval();
  std::memcpy(output.data, rows.data<void>(), rows.nbytes());
}

mx::array Embedding::as_linear(const mx::array& x) const {
  if (const SharedMatrix packed = kernel_matrix())
    return multiply_transposed(x, packed, std::nullopt, mx::float32);
  return mx::astype(multiply_transposed(x, std::get<Matrix>(table_)), mx::float32);
}

mx::array dequantized(const Matrix& matrix) {
  if (!matrix.is_quantized()) return matrix.weight;
  const Quantization& q = matrix.quantization;
  return mx::dequantize(matrix.weight, *matrix.scales, matrix.biases, q.group_size, q.bits, q.mode,
                        std::nullopt, matrix.dtype);
}

}  // namespace prismvid::nn
