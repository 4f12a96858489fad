#pragma once

#include <cstddef>

#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {

constexpr int kBlockRows = 16;    // rows side by side in a 64-byte vector
constexpr int kUnitColumns = 32;  // columns whose bit planes lie together

/// Calls visit(plane width, lowest bit, offset in 64-byte vectors) for each bit plane of a unit:
/// the widest holds the low bits and comes first.
template <typename Visit>
void for_each_plane(int bits, Visit visit) {
  for (int width : {8, 4, 2, 1}) {
    if (!(bits & width)) continue;
    const int low = bits & ~(2 * width - 1);
    visit(width, low, low);
  }
}

/// Which four columns (0 to 7) field `field` of a plane's vector holds. Pairs of bits lie so that
/// masks of two fields meet two single bits that are as far apart: 3 bits unpack two at a time.
constexpr int four_of_field(int width, int vector, int field) {
  return width == 2 ? 2 * vector + field % 2 + field / 2 * 4 : vector * (8 / width) + field;
}

inline std::size_t byte_in_unit(int width, int vector_offset, int row, int column) {
  const int four = column / 4, vector = width == 2 ? four % 4 / 2 : four * width / 8;
  return static_cast<std::size_t>(vector_offset + vector) * 64 + 4 * row + column % 4;
}

inline int shift_in_byte(int width, int column) {
  const int four = column / 4;
  return (width == 2 ? four % 2 + four / 4 * 2 : four % (8 / width)) * width;
}

/// The definition of the layout: the weights of `row` as f32.
void dequantize_packed_row(const PackedBlocks& matrix, int row, float* weights);

/// Where a plain matrix keeps a weight, in numbers: blocks of 16 rows; in a block f32 column after
/// column, bf16 two columns at a time with a row's pair side by side.
inline std::size_t dense_index(NumberType type, int columns, int row, int column) {
  const int pair = type == NumberType::kFloat32 ? 1 : 2;
  return std::size_t(row / kBlockRows) * kBlockRows * columns +
         std::size_t(column / pair) * kBlockRows * pair + row % kBlockRows * pair + column % pair;
}

}  // namespace prismvid::nn::kernels
