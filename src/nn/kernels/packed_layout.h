#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {

constexpr int kBlockRows = 16;    // rows side by side in a 64-byte vector
constexpr int kUnitColumns = 32;  // columns whose bit planes lie together

/// Some bits of a value, `low` and those above it, and where they lie: `width` bits from `shift` up
/// in a byte of one of the unit's vectors.
struct Field {
  int vector, shift, width, low;
};

/// Calls visit(Field) for each part of the values of columns 4 * `four` to 4 * `four` + 3 of a
/// unit.
template <typename Visit>
void for_each_field(int bits, int four, Visit visit) {
  if (bits == 3) {
    if (four < 6) return visit(Field{four % 3, four / 3 * 3, 3, 0});
    visit(Field{four - 6, 6, 2, 1});
    visit(Field{2, 13 - four, 1, 0});
    return;
  }
  for (int width : {8, 4, 2, 1}) {
    if (!(bits & width)) continue;
    const int low = bits & ~(2 * width - 1);
    visit(Field{low + four * width / 8, four % (8 / width) * width, width, low});
  }
}

/// mx.quantize makes a group's bias a whole number of scales before it rounds both to bfloat16: 4
/// bits tell that number, 0 to -15, and 4 how many steps of bfloat16 lie between it and the bias, 8
/// more than they are. Nothing where that does not tell `bias` exactly.
std::optional<std::uint8_t> bias_code(float scale, float bias);
float coded_bias(float scale, std::uint8_t code);

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
