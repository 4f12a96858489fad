// Attention without the (queries, keys) matrix, written once for all instruction sets: scores of
// kKeysTogether keys at a time, a running maximum and sum for each query (arXiv:2205.14135).
#pragma once

#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/expand.h"
#include "nn/kernels/simd/some_numbers.h"

namespace prismvid::nn::kernels {

/// A row of numbers as the 4-byte steps of Dot, zeros up to whole sixteens.
template <class Dot>
void row_to_steps(const void* row, NumberType type, int columns, std::uint32_t* steps) {
  using V = typename Dot::Vector;
  if constexpr (Dot::kColumnsPerStep == 2) {
    steps[(columns - 1) / 2] = 0;
    __builtin_memcpy(steps, row, 2 * columns);
  } else {
    for (int k = 0; k < columns; k += 16)
      V::store(reinterpret_cast<float*>(steps + k),
               load_some<V>(number_at(row, type, k), type, columns - k));
  }
}

template <class Dot>
void pack_keys(const PackHeadArguments& a) {
  const int steps = a.head_dim / Dot::kColumnsPerStep;
  auto* out = reinterpret_cast<std::uint32_t*>(a.packed);
  for (int first = 0; first < a.tokens; first += 16, out += 16 * steps) {
    alignas(64) std::uint32_t rows[16][kMaxHeadDim] = {};
    const int count = a.tokens - first < 16 ? a.tokens - first : 16;
    for (int r = 0; r < count; ++r)
      row_to_steps<Dot>(number_at(a.input, a.input_type, (first + r) * a.input_stride),
                        a.input_type, a.head_dim, rows[r]);
    for (int s = 0; s < steps; ++s)
      for (int r = 0; r < 16; ++r) out[16 * s + r] = rows[r][s];
  }
}

template <class Dot>
void pack_values(const PackHeadArguments& a) {
  constexpr int kPerStep = Dot::kColumnsPerStep, kSteps = kKeysTogether / kPerStep;
  const int blocks = rounded_up(a.head_dim, 16) / 16;
  auto* tile = reinterpret_cast<std::uint32_t*>(a.packed);
  for (int first = 0; first < a.tokens; first += kKeysTogether, tile += 16 * kSteps * blocks) {
    for (int s = 0; s < kSteps; ++s) {
      alignas(64) std::uint32_t row[kMaxHeadDim] = {};
      for (int i = 0; i < kPerStep; ++i) {
        const int token = first + s * kPerStep + i;
        if (token >= a.tokens) break;
        const char* in = number_at(a.input, a.input_type, token * a.input_stride);
        if constexpr (kPerStep == 2) {
          std::uint16_t numbers[kMaxHeadDim];
          __builtin_memcpy(numbers, in, 2 * a.head_dim);
          for (int d = 0; d < a.head_dim; ++d) row[d] |= std::uint32_t{numbers[d]} << (16 * i);
        } else {
          row_to_steps<Dot>(in, a.input_type, a.head_dim, row);
        }
      }
      for (int b = 0; b < blocks; ++b)
        __builtin_memcpy(tile + (b * kSteps + s) * 16, row + 16 * b, 64);
    }
  }
}

/// Queries of one head on their way through the keys.
template <class Dot>
class QueryBlock {
 public:
  using V = typename Dot::Vector;
  using Floats = typename V::Floats;

  explicit QueryBlock(const AttendBlockArguments& a)
      : a_(a), steps_(a.head_dim / Dot::kColumnsPerStep), blocks_(rounded_up(a.head_dim, 16) / 16) {
    for (int t = 0; t < a.query_count; ++t) {
      alignas(64) std::uint32_t row[kMaxHeadDim];
      row_to_steps<Dot>(number_at(a.queries, a.type, t * a.query_stride), a.type, a.head_dim, row);
      const int tile = t / kMaxTile * kMaxTile, width = tile_width(tile);
      std::uint32_t* out = queries_ + tile * steps_ + t - tile;
      for (int s = 0; s < steps_; ++s) out[s * width] = row[s];
      most_[t] = -__builtin_inff();
      sum_[t] = 0;
      for (int b = 0; b < blocks_; ++b) V::store(mixed_[b][t], V::zero());
    }
  }

  /// Takes in keys [first, first + kKeysTogether) or up to the last.
  void add_keys(int first) {
    const int left = a_.key_count - first, keys = left < kKeysTogether ? left : kKeysTogether;
    find_scores(first, rounded_up(keys, 16) / 16);
    for (int t = 0; t < a_.query_count; ++t)
      scores_to_shares(t, keys - (a_.causal ? hidden(t, keys, left) : 0), rounded_up(keys, 16));
    mix_values(first, rounded_up(keys, 16));
  }

  void finish() const {
    for (int t = 0; t < a_.query_count; ++t) {
      const Floats share = V::broadcast(1 / sum_[t]);
      char* out = static_cast<char*>(a_.output) + t * a_.output_stride * byte_size(a_.type);
      for (int b = 0; b < blocks_; ++b)
        store_some<V>(out + 16 * b * byte_size(a_.type), a_.type, a_.head_dim - 16 * b,
                      V::multiply(V::load(mixed_[b][t]), share));
    }
  }

 private:
  int tile_width(int tile) const {
    return a_.query_count - tile < kMaxTile ? a_.query_count - tile : kMaxTile;
  }

  /// How many of a step's keys query t does not see, when `left` are left for the last one.
  int hidden(int t, int keys, int left) const {
    const int seen = left - (a_.query_count - 1 - t);
    return seen >= keys ? 0 : seen < 0 ? keys : keys - seen;
  }

  void find_scores(int first, int key_blocks) {
    const std::uint8_t* keys = a_.keys + std::size_t(first) * steps_ * 4;
    for (int b = 0; b < key_blocks; ++b, keys += 64 * steps_) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        const int width = tile_width(tile);
        const auto* x = reinterpret_cast<const std::uint8_t*>(queries_ + tile * steps_);
        in_parts<Dot::template kTokensTogether<0>>(width, [&]<int T>(int from) {
          float* out = scores_[b][tile + from];
          for (int t = 0; t < T; ++t) V::store(out + 16 * t, V::zero());
          add_dense_tile<Dot, T>(keys, steps_, x + 4 * from, 4 * width, out);
        });
      }
    }
  }

  /// Scores of query t become shares of the maximum's; what was mixed so far follows a new maximum.
  void scores_to_shares(int t, int seen, int keys) {
    auto* out = reinterpret_cast<std::uint8_t*>(shares_[t]);
    const float scale = a_.scale * kLog2E;
    for (int k = seen; k < keys; ++k) scores_[k / 16][t][k % 16] = -__builtin_inff();
    Floats most = V::broadcast(-__builtin_inff());
    for (int k = 0; k < seen; k += 16) most = V::maximum(most, V::load(scores_[k / 16][t]));
    const float highest = V::max_of(most) * scale;
    const float now = highest > most_[t] ? highest : most_[t];
    const Floats base = V::broadcast(-now);
    Floats sum = V::zero();
    for (int k = 0; k < keys; k += 16, out += 64 / Dot::kColumnsPerStep) {
      const Floats x = V::multiply_add(V::load(scores_[k / 16][t]), V::broadcast(scale), base);
      const Floats share = seen > 0 ? V::exp2(x) : V::zero();
      sum = V::add(sum, Dot::store_row(out, share));
    }
    if (seen == 0) return;
    const float kept = most_[t] == now ? 1.0f : V::exp2_of(most_[t] - now);
    sum_[t] = sum_[t] * kept + V::sum(sum);
    most_[t] = now;
    if (kept == 1.0f) return;
    for (int b = 0; b < blocks_; ++b)
      V::store(mixed_[b][t], V::multiply(V::load(mixed_[b][t]), V::broadcast(kept)));
  }

  void mix_values(int first, int keys) {
    const std::uint8_t* values = a_.values + std::size_t(first) * blocks_ * 16 * kNumberBytes;
    for (int b = 0; b < blocks_; ++b, values += 64 * kSteps) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        const int width = tile_width(tile);
        in_parts<Dot::template kTokensTogether<0>>(width, [&]<int T>(int from) {
          const auto* x = reinterpret_cast<const std::uint8_t*>(shares_[tile + from]);
          add_dense_tile<Dot, T, 4 * kSteps>(values, keys / Dot::kColumnsPerStep, x, 4,
                                             mixed_[b][tile + from]);
        });
      }
    }
  }

  static constexpr int kSteps = kKeysTogether / Dot::kColumnsPerStep;
  static constexpr int kNumberBytes = 4 / Dot::kColumnsPerStep;

  const AttendBlockArguments& a_;
  int steps_, blocks_;
  float most_[kQueriesTogether], sum_[kQueriesTogether];
  alignas(64) std::uint32_t queries_[kQueriesTogether * kMaxHeadDim / Dot::kColumnsPerStep];
  alignas(64) std::uint32_t shares_[kQueriesTogether][kSteps];
  alignas(64) float scores_[kKeysTogether / 16][kQueriesTogether][16];
  alignas(64) float mixed_[kMaxHeadDim / 16][kQueriesTogether][16];
};

template <class Dot>
void attend_block(const AttendBlockArguments& a) {
  QueryBlock<Dot> block(a);
  for (int first = 0; first < a.key_count; first += kKeysTogether) block.add_keys(first);
  block.finish();
}

/// Few rows (heads times queries) against keys and values where they lie, in f32.
template <class V>
class QueryRows {
 public:
  using Floats = typename V::Floats;
  static constexpr int kTogether = 64;  // keys

  explicit QueryRows(const AttendRowsArguments& a)
      : a_(a), rows_(a.heads * a.query_count), width_(rounded_up(a.head_dim, 16)) {
    for (int r = 0; r < rows_; ++r) {
      const char* in =
          number_at(a.queries, a.type,
                    r / a.query_count * a.query_head_stride + r % a.query_count * a.query_stride);
      for (int d = 0; d < width_; d += 16) {
        V::store(queries_[r] + d, load_some<V>(in + d * byte_size(a.type), a.type, a.head_dim - d));
        V::store(mixed_[r] + d, V::zero());
      }
      most_[r] = -__builtin_inff();
      sum_[r] = 0;
    }
  }

  /// Takes in keys [first, first + kTogether) or up to the last, of which `from` are.
  void add_keys(int first, const KeyRows& from) {
    const int left = a_.key_count - first, keys = left < kTogether ? left : kTogether;
    in_parts<kRowsTogether>(rows_, [&]<int R>(int row) { find_scores<R>(row, keys, from); });
    for (int r = 0; r < rows_; ++r) {
      const int unseen = a_.causal ? a_.query_count - 1 - r % a_.query_count : 0;
      const int seen = left - unseen < keys ? left - unseen : keys;
      scores_to_shares(r, seen < 0 ? 0 : seen, rounded_up(keys, 16));
    }
    in_parts<kRowsTogether>(rows_, [&]<int R>(int row) { mix_values<R>(row, keys, from); });
  }

  void finish() const {
    for (int r = 0; r < rows_; ++r) {
      const std::size_t at =
          r / a_.query_count * a_.output_head_stride + r % a_.query_count * a_.output_stride;
      char* out = static_cast<char*>(a_.output) + at * byte_size(a_.type);
      for (int d = 0; d < width_; d += 16)
        store_some<V>(out + d * byte_size(a_.type), a_.type, a_.head_dim - d,
                      V::multiply(V::load(mixed_[r] + d), V::broadcast(1 / sum_[r])));
    }
  }

 private:
  static constexpr int kRowsTogether = 4;

  template <int R>
  void find_scores(int row, int keys, const KeyRows& from) {
    const float scale = a_.scale * kLog2E;
    for (int k = 0; k < keys; ++k) {
      const char* key = number_at(from.keys, from.type, k * from.key_stride);
      __builtin_prefetch(number_at(from.values, from.type, k * from.value_stride));
      Floats sums[R];
      for (int r = 0; r < R; ++r) sums[r] = V::zero();
      for (int d = 0; d < width_; d += 16) {
        const Floats x = load_some<V>(key + d * byte_size(from.type), from.type, a_.head_dim - d);
        for (int r = 0; r < R; ++r)
          sums[r] = V::multiply_add(x, V::load(queries_[row + r] + d), sums[r]);
      }
      for (int r = 0; r < R; ++r) scores_[row + r][k] = V::sum(sums[r]) * scale;
    }
  }

  void scores_to_shares(int r, int seen, int keys) {
    float* scores = scores_[r];
    for (int k = seen; k < keys; ++k) scores[k] = -__builtin_inff();
    Floats most = V::broadcast(most_[r]);
    for (int k = 0; k < keys; k += 16) most = V::maximum(most, V::load(scores + k));
    const float now = V::max_of(most);
    Floats sum = V::zero();
    for (int k = 0; k < keys; k += 16) {
      const Floats x = V::add(V::load(scores + k), V::broadcast(-now));
      const Floats share = seen > 0 ? V::exp2(x) : V::zero();
      V::store(scores + k, share);
      sum = V::add(sum, share);
    }
    kept_[r] = seen == 0 || most_[r] == now ? 1.0f : V::exp2_of(most_[r] - now);
    if (seen == 0) return;
    sum_[r] = sum_[r] * kept_[r] + V::sum(sum);
    most_[r] = now;
  }

  template <int R>
  void mix_values(int row, int keys, const KeyRows& from) {
    for (int d = 0; d < width_; d += 16) {
      Floats mixed[R];
      for (int r = 0; r < R; ++r)
        mixed[r] = V::multiply(V::load(mixed_[row + r] + d), V::broadcast(kept_[row + r]));
      const char* value = number_at(from.values, from.type, d);
      for (int k = 0; k < keys; ++k, value += from.value_stride * byte_size(from.type)) {
        const Floats x = load_some<V>(value, from.type, a_.head_dim - d);
        for (int r = 0; r < R; ++r)
          mixed[r] = V::multiply_add(x, V::broadcast(scores_[row + r][k]), mixed[r]);
      }
      for (int r = 0; r < R; ++r) V::store(mixed_[row + r] + d, mixed[r]);
    }
  }

  const AttendRowsArguments& a_;
  int rows_, width_;
  float most_[kMaxQueryRows], sum_[kMaxQueryRows], kept_[kMaxQueryRows];
  alignas(64) float queries_[kMaxQueryRows][kMaxHeadDim];
  alignas(64) float mixed_[kMaxQueryRows][kMaxHeadDim];
  alignas(64) float scores_[kMaxQueryRows][kTogether];
};

/// Quantised keys and values become numbers some rows at a time, in a cache.
template <class V>
void add_quantized_keys(const AttendRowsArguments& a, QueryRows<V>& rows) {
  constexpr int kTogether = QueryRows<V>::kTogether;
  alignas(64) float keys[kTogether][kMaxHeadDim], values[kTogether][kMaxHeadDim];
  const KeyRows from{keys, values, NumberType::kFloat32, kMaxHeadDim, kMaxHeadDim};
  for (int first = 0; first < a.key_count; first += kTogether) {
    const int count = a.key_count - first < kTogether ? a.key_count - first : kTogether;
    expand<V>({a.quantized_keys, first, count, a.head_dim, keys, from.type, kMaxHeadDim});
    expand<V>({a.quantized_values, first, count, a.head_dim, values, from.type, kMaxHeadDim});
    rows.add_keys(first, from);
  }
}

template <class V>
void attend_rows(const AttendRowsArguments& a) {
  QueryRows<V> rows(a);
  if (a.quantized_keys.words != nullptr) {
    add_quantized_keys(a, rows);
  } else {
    for (int first = 0; first < a.key_count; first += QueryRows<V>::kTogether)
      rows.add_keys(first, {number_at(a.keys, a.type, first * a.key_stride),
                            number_at(a.values, a.type, first * a.value_stride), a.type,
                            a.key_stride, a.value_stride});
  }
  rows.finish();
}

}  // namespace prismvid::nn::kernels
