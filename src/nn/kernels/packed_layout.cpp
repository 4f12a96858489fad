#include "nn/kernels/packed_layout.h"

#include <bit>

namespace prismvid::nn::kernels {

std::optional<std::uint8_t> bias_code(float scale, float bias) {
  const float ratio = 0.5f - bias / scale;
  if (!(ratio >= 0 && ratio < 16)) return std::nullopt;
  const auto number = static_cast<int>(ratio);
  const auto upper = [](float x) {
    return static_cast<int>(std::bit_cast<std::uint32_t>(x) >> 16);
  };
  const int steps = bias == 0 ? 0 : upper(bias) - upper(scale * static_cast<float>(-number));
  if (steps < -8 || steps > 7) return std::nullopt;
  const auto code = static_cast<std::uint8_t>(number << 4 | (steps + 8));
  if (coded_bias(scale, code) != bias) return std::nullopt;
  return code;
}

float coded_bias(float scale, std::uint8_t code) {
  const auto bits = std::bit_cast<std::uint32_t>(scale * -static_cast<float>(code >> 4));
  const auto steps = static_cast<std::uint32_t>((code & 15) - 8);
  return std::bit_cast<float>((bits & 0xffff0000u) + (steps << 16));
}

void dequantize_packed_row(const PackedBlocks& matrix, int row, float* weights) {
  const std::uint8_t* group = matrix.data + row / kBlockRows * matrix.block_bytes;
  const std::size_t bias_at = kBlockRows * byte_size(matrix.scale_type);
  const int r = row % kBlockRows, bits = matrix.bits;
  for (int g = 0; g < matrix.columns / matrix.group_size; ++g) {
    const float scale = load_number(group, matrix.scale_type, r);
    const float bias = matrix.has_bias_codes ? coded_bias(scale, group[bias_at + r])
                                             : load_number(group + bias_at, matrix.scale_type, r);
    for (int c = 0; c < matrix.group_size; ++c) {
      const std::uint8_t* unit = group + matrix.scale_bytes + c / kUnitColumns * 64 * bits;
      const int column = c % kUnitColumns;
      int value = 0;
      for_each_field(bits, column / 4, [&](Field field) {
        const int byte = unit[64 * field.vector + 4 * r + column % 4];
        value |= ((byte >> field.shift) & ((1 << field.width) - 1)) << field.low;
      });
      *weights++ = scale * static_cast<float>(value) + bias;
    }
    group += matrix.scale_bytes + std::size_t(2 * bits) * matrix.group_size;
  }
}

}  // namespace prismvid::nn::kernels
