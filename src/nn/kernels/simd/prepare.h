#pragma once

#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {

/// Rows of a prepared tile of `width` of them, kRowsOfToken for each token: values (step, width, 4
/// bytes), then scales and sums (group, width) as f32.
struct TileView {
  const std::uint8_t* values;
  const float* scales;
  const float* sums;
  int width;

  TileView from(int row) const { return {values + 4 * row, scales + row, sums + row, width}; }
};

template <class Dot>
constexpr std::size_t value_bytes(int rows, int columns) {
  return std::size_t(rows) * columns / Dot::kColumnsPerStep * 4;
}

/// The factor that brings a group's largest magnitude to 127, and its inverse.
struct ByteScale {
  float scale, inverse;
};

static ByteScale byte_scale(std::uint32_t magnitude_bits) {
  float most;
  __builtin_memcpy(&most, &magnitude_bits, 4);
  if (magnitude_bits >= 0x7f800000u) return {__builtin_nanf(""), 0.0f};
  if (most < 1e-30f) return {0.0f, 0.0f};
  return {most / 127.0f, 127.0f / most};
}

/// A group of one token; its rows lie side by side, their scales and sums too.
template <class Dot>
void prepare_group(const char* input, NumberType type, int group_size, std::uint8_t* out,
                   std::size_t stride, float* scale, float* sum) {
  using V = typename Dot::Vector;
  const std::size_t number = byte_size(type);
  ByteScale factor = {1.0f, 1.0f};
  if constexpr (Dot::kRoundsToBytes) {
    auto most = V::zero_bytes();
    for (int k = 0; k < group_size; k += 16)
      most = V::max_magnitude(most, V::load_numbers(input + k * number, type));
    factor = byte_scale(V::max_lane(most));
  }
  constexpr bool kHasRest = kRowsOfToken<Dot> == 2;
  auto total = V::zero();
  [[maybe_unused]] auto rest = V::zero();
  for (int k = 0; k < group_size; k += 16) {
    const auto x = V::load_numbers(input + k * number, type);
    std::uint8_t* to = out + k / Dot::kColumnsPerStep * stride;
    const auto scaled = Dot::kRoundsToBytes ? V::multiply(x, V::broadcast(factor.inverse)) : x;
    const auto stored = Dot::store_activations(to, stride, scaled);
    total = V::add(total, stored);
    if constexpr (kHasRest) {
      const auto finer = V::multiply(V::subtract(scaled, stored), V::broadcast(Dot::kFiner));
      rest = V::add(rest, Dot::store_activations(to + 4, stride, finer));
    }
  }
  scale[0] = factor.scale;
  sum[0] = V::sum(total) * factor.scale;
  if constexpr (kHasRest) {
    scale[1] = factor.scale / Dot::kFiner;
    sum[1] = V::sum(rest) * scale[1];
  }
}

constexpr int kFourGroupSize = 64;

/// prepare_group() for groups of kFourGroupSize of four neighbouring tokens, whose bytes lie side
/// by side.
template <class V>
void prepare_four(const char* input, std::size_t row_bytes, NumberType type, std::uint8_t* out,
                  std::size_t stride, float* scales, float* sums) {
  typename V::Floats x[4][4];
  typename V::Bytes rows[4], row_sums[4];
  for (int t = 0; t < 4; ++t, input += row_bytes) {
    rows[t] = V::zero_bytes();
    for (int i = 0; i < 4; ++i) {
      x[t][i] = V::load_numbers(input + 16 * i * byte_size(type), type);
      rows[t] = V::max_magnitude(rows[t], x[t][i]);
    }
  }
  std::uint32_t most[4];
  V::store_most(most, rows);
  for (int t = 0; t < 4; ++t) {
    const ByteScale factor = byte_scale(most[t]);
    const auto whole = [&](int i) {
      return V::to_integers(V::multiply(x[t][i], V::broadcast(factor.inverse)));
    };
    rows[t] = V::join_signed(whole(0), whole(1), whole(2), whole(3));
    row_sums[t] = V::sums_of_bytes(rows[t]);
    scales[t] = factor.scale;
  }
  V::store_sums(sums, row_sums);
  for (int t = 0; t < 4; ++t) sums[t] *= scales[t];
  V::store_columns(out, stride, rows);
}

/// Whether the level has instructions for that.
template <class Dot>
constexpr bool kPreparesFour = Dot::kRoundsToBytes&& kRowsOfToken<Dot> == 1 && requires {
  Dot::Vector::store_columns;
};

template <class Dot>
void prepare(const PrepareArguments& a) {
  constexpr int kRows = kRowsOfToken<Dot>;
  const int groups = a.columns / a.group_size, rows = kRows * a.tokens;
  auto* scales = reinterpret_cast<float*>(a.prepared + value_bytes<Dot>(rows, a.columns));
  float* sums = scales + std::size_t(groups) * rows;
  const std::size_t stride = 4 * std::size_t(rows);
  const std::size_t token_bytes = a.input_stride * byte_size(a.input_type);
  const char* token = static_cast<const char*>(a.input);
  int t = 0;
  if constexpr (kPreparesFour<Dot>) {
    for (; a.group_size == kFourGroupSize && t + 4 <= a.tokens; t += 4, token += 4 * token_bytes)
      for (int g = 0; g < groups; ++g) {
        const int column = g * kFourGroupSize;
        prepare_four<typename Dot::Vector>(token + column * byte_size(a.input_type), token_bytes,
                                           a.input_type,
                                           a.prepared + value_bytes<Dot>(rows, column) + 4 * t,
                                           stride, scales + g * rows + t, sums + g * rows + t);
      }
  }
  for (; t < a.tokens; ++t, token += token_bytes) {
    for (int g = 0; g < groups; ++g) {
      const int column = g * a.group_size, row = kRows * t;
      prepare_group<Dot>(token + column * byte_size(a.input_type), a.input_type, a.group_size,
                         a.prepared + value_bytes<Dot>(rows, column) + 4 * row, stride,
                         scales + g * rows + row, sums + g * rows + row);
    }
  }
}

}  // namespace prismvid::nn::kernels
