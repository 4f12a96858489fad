#pragma once

#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {

/// Rows of a prepared tile of `width` of them, kRowsOfToken for each token: values (step, width, 4
/// bytes), then scales and sums (group, width) as f32 and, where sums are multiplied, what a
/// group's dot products start with.
struct TileView {
  const std::uint8_t* values;
  const float* scales;
  const float* sums;
  const std::int32_t* starts;
  int width;

  TileView from(int row) const {
    return {values + 4 * row, scales + row, sums + row, starts + row, width};
  }
};

template <class Dot>
constexpr std::size_t value_bytes(int rows, int columns) {
  return std::size_t(rows) * columns / Dot::kColumnsPerStep * 4;
}

/// The factor that brings a group's largest magnitude to `largest`, and its inverse.
struct ByteScale {
  float scale, inverse;
};

[[maybe_unused]] static ByteScale byte_scale(std::uint32_t magnitude_bits, float largest = 127.0f) {
  float most;
  __builtin_memcpy(&most, &magnitude_bits, 4);
  if (magnitude_bits >= 0x7f800000u) return {__builtin_nanf(""), 0.0f};
  if (most < 1e-30f) return {0.0f, 0.0f};
  return {most / largest, largest / most};
}

/// Where the scales of a group go, and what belongs to them.
struct GroupScales {
  float* scales;
  float* sums;
  std::int32_t* starts;
};

/// A group of one token; its rows lie side by side, their scales too.
template <class Dot>
void prepare_group(const char* input, NumberType type, int group_size, std::uint8_t* out,
                   std::size_t stride, GroupScales of) {
  using V = typename Dot::Vector;
  constexpr int kRows = kRowsOfToken<Dot>;
  const std::size_t number = byte_size(type);
  ByteScale factor = {1.0f, 1.0f};
  if constexpr (Dot::kRoundsToBytes) {
    auto most = V::zero_bytes();
    for (int k = 0; k < group_size; k += 16)
      most = V::max_magnitude(most, V::load_numbers(input + k * number, type));
    factor = byte_scale(V::max_lane(most), Dot::kMost);
  }
  typename V::Floats total[kRows];
  [[maybe_unused]] typename V::Floats products[kRows];
  for (int row = 0; row < kRows; ++row) total[row] = products[row] = V::zero();
  for (int k = 0; k < group_size; k += 16) {
    const auto x = V::load_numbers(input + k * number, type);
    auto left = Dot::kRoundsToBytes ? V::multiply(x, V::broadcast(factor.inverse)) : x;
    for (int row = 0; row < kRows; ++row) {
      std::uint8_t* to = out + 4 * row + k / Dot::kColumnsPerStep * stride;
      const auto stored = Dot::store_activations(to, stride, left);
      total[row] = V::add(total[row], stored);
      if constexpr (MultipliesSums<Dot>)
        products[row] = V::add(products[row], V::neighbour_products(stored));
      if constexpr (kRows > 1)
        left = V::multiply(V::subtract(left, stored), V::broadcast(Dot::kFiner));
    }
  }
  for (int row = 0; row < kRows; ++row) {
    of.scales[row] = factor.scale;
    of.sums[row] = V::sum(total[row]) * factor.scale;
    if constexpr (MultipliesSums<Dot>)
      of.starts[row] = -static_cast<std::int32_t>(V::sum(products[row]));
    if constexpr (kRows > 1) factor.scale /= Dot::kFiner;
  }
}

constexpr int kFourGroupSize = 64;

/// prepare_group() for groups of kFourGroupSize of four neighbouring tokens, whose bytes lie side
/// by side.
template <class Dot>
void prepare_four(const char* input, std::size_t row_bytes, NumberType type, std::uint8_t* out,
                  std::size_t stride, GroupScales of) {
  using V = typename Dot::Vector;
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
    const ByteScale factor = byte_scale(most[t], Dot::kMost);
    const auto whole = [&](int i) {
      return V::to_integers(V::multiply(x[t][i], V::broadcast(factor.inverse)));
    };
    rows[t] = V::join_signed(whole(0), whole(1), whole(2), whole(3));
    row_sums[t] = V::sums_of_bytes(rows[t]);
    of.scales[t] = factor.scale;
  }
  V::store_sums(of.sums, row_sums);
  for (int t = 0; t < 4; ++t) of.sums[t] *= of.scales[t];
  if constexpr (MultipliesSums<Dot>) {
    for (int t = 0; t < 4; ++t) {
      rows[t] = V::first_without_sign(rows[t]);
      row_sums[t] = V::negative_integers(V::neighbour_products(rows[t]));
    }
    V::store_sums(of.starts, row_sums);
  }
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
  auto* starts = reinterpret_cast<std::int32_t*>(sums + std::size_t(groups) * rows);
  const auto scales_of = [&](int group, int row) {
    const std::size_t at = std::size_t(group) * rows + row;
    return GroupScales{scales + at, sums + at, starts + at};
  };
  const std::size_t stride = 4 * std::size_t(rows);
  const std::size_t token_bytes = a.input_stride * byte_size(a.input_type);
  const char* token = static_cast<const char*>(a.input);
  int t = 0;
  if constexpr (kPreparesFour<Dot>) {
    for (; a.group_size == kFourGroupSize && t + 4 <= a.tokens; t += 4, token += 4 * token_bytes)
      for (int g = 0; g < groups; ++g) {
        const int column = g * kFourGroupSize;
        prepare_four<Dot>(token + column * byte_size(a.input_type), token_bytes, a.input_type,
                          a.prepared + value_bytes<Dot>(rows, column) + 4 * t, stride,
                          scales_of(g, t));
      }
  }
  for (; t < a.tokens; ++t, token += token_bytes) {
    for (int g = 0; g < groups; ++g) {
      const int column = g * a.group_size, row = kRows * t;
      prepare_group<Dot>(token + column * byte_size(a.input_type), a.input_type, a.group_size,
                         a.prepared + value_bytes<Dot>(rows, column) + 4 * row, stride,
                         scales_of(g, row));
    }
  }
}

}  // namespace prismvid::nn::kernels
