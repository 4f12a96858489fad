#include "nn/embedding.h"

namespace prismvid::nn {

mx::array Embedding::operator()(const mx::array& ids) const {
  const auto rows = [&](const mx::array& table) { return mx::take(table, ids, 0); };
  if (!table_.is_quantized()) return rows(table_.weight);
  Matrix chosen{rows(table_.weight), rows(*table_.scales), std::nullopt, table_.quantization};
  if (table_.biases) chosen.biases = rows(*table_.biases);
  return dequantized(chosen);
}

mx::array dequantized(const Matrix& matrix) {
  if (!matrix.is_quantized()) return matrix.weight;
  const Quantization& q = matrix.quantization;
  return mx::dequantize(matrix.weight, *matrix.scales, matrix.biases, q.group_size, q.bits, q.mode);
}

}  // namespace prismvid::nn
