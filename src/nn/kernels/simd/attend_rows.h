// Attention of few queries, which read keys and values where they lie.
#pragma once

#include "nn/kernels/simd/each.h"
#include "nn/kernels/simd/expand.h"
#include "nn/kernels/simd/quantized_linear.h"

namespace prismvid::nn::kernels {

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
      const char* value = number_at(from.values, from.type, k * from.value_stride);
      for (std::size_t at = 0; at < a_.head_dim * byte_size(from.type); at += 64)
        __builtin_prefetch(value + at);
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
    // As many sums as the registers hold: few would wait for their own additions.
    constexpr int kMost = V::kFloatTokensTogether / R;
    constexpr int kVectors = kMost >= 8 ? 8 : kMost >= 4 ? 4 : kMost >= 2 ? 2 : 1;
    int d = 0;
    for (; d + 16 * kVectors <= a_.head_dim; d += 16 * kVectors)
      mix_channels<R, kVectors>(row, d, keys, from);
    for (; d < width_; d += 16) mix_channels<R, 1>(row, d, keys, from);
  }

  /// Channels from `first` on, D vectors of them.
  template <int R, int D>
  void mix_channels(int row, int first, int keys, const KeyRows& from) {
    Floats mixed[R * D];
    each<R * D>([&]<int i>() {
      mixed[i] = V::multiply(V::load(mixed_[row + i / D] + first + i % D * 16),
                             V::broadcast(kept_[row + i / D]));
    });
    const char* value = number_at(from.values, from.type, first);
    const std::size_t vector_bytes = 16 * byte_size(from.type);
    for (int k = 0; k < keys; ++k, value += from.value_stride * byte_size(from.type)) {
      each<D>([&]<int i>() {
        const Floats x = D > 1 ? V::load_numbers(value + i * vector_bytes, from.type)
                               : load_some<V>(value, from.type, a_.head_dim - first);
        each<R>([&]<int r>() {
          mixed[r * D + i] =
              V::multiply_add(x, V::broadcast(scores_[row + r][k]), mixed[r * D + i]);
        });
      });
    }
    each<R * D>([&]<int i>() { V::store(mixed_[row + i / D] + first + i % D * 16, mixed[i]); });
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
