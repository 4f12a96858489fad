// The definition of every kernel, in plain C++.
#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/kernels/kernel_table.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

/// (tokens, columns) as f32.
void prepare(const PrepareArguments& a) {
  auto* out = reinterpret_cast<float*>(a.prepared);
  for (int t = 0; t < a.tokens; ++t)
    for (int k = 0; k < a.columns; ++k)
      *out++ = load_number(a.input, a.input_type, t * a.input_stride + k);
}

void multiply(const MultiplyArguments& a) {
  const std::size_t tile_bytes = prepared_bytes(kMaxTile, a.matrix.columns, a.matrix.group_size);
  std::vector<float> weights(a.matrix.columns);
  const int last_row =
      a.last_block * kBlockRows < a.matrix.rows ? a.last_block * kBlockRows : a.matrix.rows;
  for (int row = a.first_block * kBlockRows; row < last_row; ++row) {
    dequantize_packed_row(a.matrix, row, weights.data());
    for (int t = 0; t < a.tokens; ++t) {
      const auto* tile = reinterpret_cast<const float*>(a.prepared + t / kMaxTile * tile_bytes);
      const float* x = tile + std::size_t(t % kMaxTile) * a.matrix.columns;
      float sum = a.bias ? a.bias[row] : 0.0f;
      for (int k = 0; k < a.matrix.columns; ++k) sum += weights[k] * x[k];
      store_number(a.output, a.output_type, t * a.output_stride + row, sum);
    }
  }
}

void multiply_dense(const DenseArguments& a) {
  const DenseBlocks& m = a.matrix;
  const std::size_t tile_bytes = prepared_bytes(kMaxTile, m.columns, m.columns);
  const int last_row = std::min(a.last_block * kBlockRows, m.rows);
  for (int row = a.first_block * kBlockRows; row < last_row; ++row) {
    for (int t = 0; t < a.tokens; ++t) {
      const auto* tile = reinterpret_cast<const float*>(a.prepared + t / kMaxTile * tile_bytes);
      const float* x = tile + std::size_t(t % kMaxTile) * m.columns;
      float sum = a.bias ? a.bias[row] : 0.0f;
      for (int k = 0; k < m.columns; ++k)
        sum += load_number(m.data, m.type, dense_index(m.type, m.columns, row, k)) * x[k];
      store_number(a.output, a.output_type, t * a.output_stride + row, sum);
    }
  }
}

/// One query of one head.
void attend_row(const AttendRowsArguments& a, int head, int query) {
  const int seen = a.causal ? a.key_count - (a.query_count - 1 - query) : a.key_count;
  const std::size_t q = head * a.query_head_stride + query * a.query_stride;
  std::vector<float> shares(seen);
  for (int k = 0; k < seen; ++k) {
    float sum = 0;
    for (int d = 0; d < a.head_dim; ++d)
      sum +=
          load_number(a.queries, a.type, q + d) * load_number(a.keys, a.type, k * a.key_stride + d);
    shares[k] = sum * a.scale;
  }
  const float most = *std::max_element(shares.begin(), shares.end());
  float total = 0;
  for (float& share : shares) total += share = std::exp(share - most);
  for (int d = 0; d < a.head_dim; ++d) {
    float sum = 0;
    for (int k = 0; k < seen; ++k)
      sum += shares[k] * load_number(a.values, a.type, k * a.value_stride + d);
    store_number(a.output, a.type, head * a.output_head_stride + query * a.output_stride + d,
                 sum / total);
  }
}

void attend_rows(const AttendRowsArguments& a) {
  for (int head = 0; head < a.heads; ++head)
    for (int query = 0; query < a.query_count; ++query) attend_row(a, head, query);
}

}  // namespace

const KernelTable& portable_kernels() {
  static const KernelTable table = {.isa = Isa::kPortable,
                                    .prepare = {prepare, prepare},
                                    .multiply = {multiply, multiply},
                                    .prepare_dense = {prepare, prepare},
                                    .multiply_dense = {multiply_dense, multiply_dense},
                                    .attend_rows = attend_rows,
                                    .pack_keys = {},
                                    .pack_values = {},
                                    .attend_block = {}};
  return table;
}

}  // namespace prismvid::nn::kernels
