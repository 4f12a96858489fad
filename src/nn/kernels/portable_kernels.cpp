// The definition of every kernel, in plain C++.
#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/kernels/kernel_table.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

template <typename Arguments>
float first_sum(const Arguments& a, int token, int row) {
  const float bias = a.bias ? a.bias[row] : 0.0f;
  if (a.addend.data == nullptr) return bias;
  return bias + load_number(a.addend.data, a.addend.type, token * a.addend.stride + row);
}

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
      float sum = first_sum(a, t, row);
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
      float sum = first_sum(a, t, row);
      for (int k = 0; k < m.columns; ++k)
        sum += load_number(m.data, m.type, dense_index(m.type, m.columns, row, k)) * x[k];
      store_number(a.output, a.output_type, t * a.output_stride + row, sum);
    }
  }
}

void expand(const ExpandArguments& a) {
  const QuantizedRows& in = a.rows;
  const int in_word = 32 / in.bits;
  for (int i = 0; i < a.count; ++i) {
    const std::size_t row = a.first + i;
    for (int k = 0; k < a.columns; ++k) {
      const std::uint32_t word = in.words[row * in.word_stride + k / in_word];
      const std::uint32_t q = word >> (k % in_word * in.bits) & ((1u << in.bits) - 1);
      const std::size_t group = row * in.scale_stride + k / in.group_size;
      store_number(a.output, a.output_type, i * a.output_stride + k,
                   static_cast<float>(q) * load_number(in.scales, in.type, group) +
                       load_number(in.biases, in.type, group));
    }
  }
}

std::vector<float> expanded(const QuantizedRows& rows, int count, int columns) {
  std::vector<float> numbers(static_cast<std::size_t>(count) * columns);
  expand({rows, 0, count, columns, numbers.data(), NumberType::kFloat32,
          static_cast<std::size_t>(columns)});
  return numbers;
}

/// One query of one head.
void attend_row(const AttendRowsArguments& a, const KeyRows& from, int head, int query) {
  const int seen = a.causal ? a.key_count - (a.query_count - 1 - query) : a.key_count;
  const std::size_t q = head * a.query_head_stride + query * a.query_stride;
  std::vector<float> shares(seen);
  for (int k = 0; k < seen; ++k) {
    float sum = 0;
    for (int d = 0; d < a.head_dim; ++d)
      sum += load_number(a.queries, a.type, q + d) *
             load_number(from.keys, from.type, k * from.key_stride + d);
    shares[k] = sum * a.scale;
  }
  const float most = *std::max_element(shares.begin(), shares.end());
  float total = 0;
  for (float& share : shares) total += share = std::exp(share - most);
  for (int d = 0; d < a.head_dim; ++d) {
    float sum = 0;
    for (int k = 0; k < seen; ++k)
      sum += shares[k] * load_number(from.values, from.type, k * from.value_stride + d);
    store_number(a.output, a.type, head * a.output_head_stride + query * a.output_stride + d,
                 sum / total);
  }
}

void attend_rows(const AttendRowsArguments& a) {
  std::vector<float> keys, values;
  KeyRows from{a.keys, a.values, a.type, a.key_stride, a.value_stride};
  if (a.quantized_keys.words != nullptr) {
    keys = expanded(a.quantized_keys, a.key_count, a.head_dim);
    values = expanded(a.quantized_values, a.key_count, a.head_dim);
    const auto stride = static_cast<std::size_t>(a.head_dim);
    from = {keys.data(), values.data(), NumberType::kFloat32, stride, stride};
  }
  for (int head = 0; head < a.heads; ++head)
    for (int query = 0; query < a.query_count; ++query) attend_row(a, from, head, query);
}

void normalize(const NormalizeArguments& a) {
  const auto x = [&](int k) { return load_number(a.input, a.input_type, k); };
  float mean = 0, square = 0;
  for (int k = 0; a.bias && k < a.columns; ++k) mean += x(k) / a.columns;
  for (int k = 0; k < a.columns; ++k) square += (x(k) - mean) * (x(k) - mean) / a.columns;
  const float scale = 1 / std::sqrt(square + a.epsilon);
  for (int k = 0; k < a.columns; ++k) {
    const float bias = a.bias ? load_number(a.bias, a.weight_type, k) : 0.0f;
    store_number(a.output, a.output_type, k,
                 (x(k) - mean) * scale * load_number(a.weight, a.weight_type, k) + bias);
  }
}

void rotate(const RotateArguments& a) {
  const int half = a.head_dim / 2;
  std::vector<float> x(a.head_dim);
  for (int head = 0; head < a.heads; ++head) {
    float square = 0;
    for (int d = 0; d < a.head_dim; ++d) {
      x[d] = load_number(a.input, a.type, std::size_t(head) * a.head_dim + d);
      square += x[d] * x[d] / a.head_dim;
    }
    const float scale = 1 / std::sqrt(square + a.epsilon);
    for (int d = 0; a.weight && d < a.head_dim; ++d)
      x[d] *= scale * load_number(a.weight, a.weight_type, d);
    const auto store = [&](int d, float value) {
      store_number(a.output, a.type, head * a.output_head_stride + d, value);
    };
    for (int d = 0; d < half; ++d) {
      store(d, x[d] * a.cos[d] - x[d + half] * a.sin[d]);
      store(d + half, x[d + half] * a.cos[d] + x[d] * a.sin[d]);
    }
  }
}

float sigmoid(float x) {
  return 1 / (1 + std::exp(-x));
}

template <typename Function>
void activate(const ActivateArguments& a, Function function) {
  for (int i = 0; i < a.count; ++i)
    store_number(a.output, a.type, i, function(load_number(a.input, a.type, i), i));
}

void swiglu(const ActivateArguments& a) {
  activate(a, [&](float x, int i) { return x * sigmoid(x) * load_number(a.up, a.type, i); });
}

void gelu(const ActivateArguments& a) {
  activate(a, [](float x, int) { return 0.5f * x * std::erfc(-x * std::sqrt(0.5f)); });
}

/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
void gelu_tanh(const ActivateArguments& a) {
  activate(
      a, [](float x, int) { return x * sigmoid(2 * 0.7978845608f * (x + 0.044715f * x * x * x)); });
}

}  // namespace

const KernelTable& portable_kernels() {
  static const KernelTable table = {.isa = Isa::kPortable,
                                    .prepare = {prepare, prepare, prepare},
                                    .multiply = {multiply, multiply, multiply},
                                    .prepare_dense = {prepare, prepare},
                                    .multiply_dense = {multiply_dense, multiply_dense},
                                    .attend_rows = attend_rows,
                                    .expand = expand,
                                    .normalize = normalize,
                                    .rotate = rotate,
                                    .activate = {swiglu, gelu, gelu_tanh},
                                    .pack_keys = {},
                                    .pack_values = {},
                                    .attend_block = {}};
  return table;
}

}  // namespace prismvid::nn::kernels
