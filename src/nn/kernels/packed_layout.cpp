#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {

void dequantize_packed_row(const PackedBlocks& matrix, int row, float* weights) {
  const std::uint8_t* group = matrix.data + row / kBlockRows * matrix.block_bytes;
  const std::size_t scale_bytes = 2 * kBlockRows * byte_size(matrix.scale_type);
  const int r = row % kBlockRows, bits = matrix.bits;
  for (int g = 0; g < matrix.columns / matrix.group_size; ++g) {
    const float scale = load_number(group, matrix.scale_type, r);
    const float bias = load_number(group, matrix.scale_type, kBlockRows + r);
    for (int c = 0; c < matrix.group_size; ++c) {
      const std::uint8_t* unit = group + scale_bytes + c / kUnitColumns * 64 * bits;
      const int column = c % kUnitColumns;
      int value = 0;
      for_each_field(bits, column / 4, [&](Field field) {
        const int byte = unit[64 * field.vector + 4 * r + column % 4];
        value |= ((byte >> field.shift) & ((1 << field.width) - 1)) << field.low;
      });
      *weights++ = scale * static_cast<float>(value) + bias;
    }
    group += scale_bytes + std::size_t(2 * bits) * matrix.group_size;
  }
}

}  // namespace prismvid::nn::kernels
