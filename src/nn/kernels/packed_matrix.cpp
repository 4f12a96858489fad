#include "nn/kernels/packed_matrix.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

constexpr int kRows = kBlockRows, kUnit = kUnitColumns;
using UnitValues = std::array<std::uint8_t, kUnit>;

void check_matrix(const QuantizedMatrixView& m) {
  const bool known_bits = m.bits >= 2 && m.bits <= 8 && m.bits != 7;
  check(known_bits, ErrorCode::kInvalidArgument,
        "packed matrix: bits must be 2, 3, 4, 5, 6 or 8, got ", m.bits);
  check(m.group_size == 32 || m.group_size == 64 || m.group_size == 128,
        ErrorCode::kInvalidArgument, "packed matrix: group size must be 32, 64 or 128, got ",
        m.group_size);
  check(m.rows > 0 && m.columns > 0 && m.columns % m.group_size == 0, ErrorCode::kInvalidArgument,
        "packed matrix: needs rows and columns in whole groups of ", m.group_size, ", got ", m.rows,
        " x ", m.columns);
  check(m.words && m.scales && m.biases, ErrorCode::kInvalidArgument,
        "packed matrix: words, scales and biases must be given");
}

UnitValues read_unit(const std::uint8_t* bytes, int bits) {
  UnitValues values;
  const std::uint32_t mask = (1u << bits) - 1;
  std::uint32_t pending = 0;
  int available = 0;
  for (auto& value : values) {
    for (; available < bits; available += 8) pending |= std::uint32_t{*bytes++} << available;
    value = static_cast<std::uint8_t>(pending & mask);
    pending >>= bits;
    available -= bits;
  }
  return values;
}

}  // namespace

PackedMatrix::PackedMatrix(const QuantizedMatrixView& matrix, ThreadPool& pool, const void* bias,
                           NumberType bias_type)
    : rows_(matrix.rows),
      columns_(matrix.columns),
      bits_(matrix.bits),
      group_size_(matrix.group_size),
      scale_type_(matrix.scale_type),
      data_(nullptr, std::free) {
  check_matrix(matrix);
  data_ = allocate_aligned(bytes());
  pool.parallel_for(blocks(), [&](int block) { pack_block(matrix, block); });
  if (bias == nullptr) return;
  bias_.resize(std::size_t(blocks()) * kRows);
  for (int row = 0; row < rows_; ++row) bias_[row] = load_number(bias, bias_type, row);
}

void PackedMatrix::pack_block(const QuantizedMatrixView& matrix, int block) {
  std::uint8_t* out = data_.get() + block * block_bytes();
  std::memset(out, 0, block_bytes());
  const std::size_t number = byte_size(scale_type_), row_bytes = std::size_t(columns_) * bits_ / 8;
  const auto* words = reinterpret_cast<const std::uint8_t*>(matrix.words);
  const int count = std::min(kRows, rows_ - block * kRows);
  for (int r = 0; r < count; ++r) {
    const std::size_t row = std::size_t(block) * kRows + r;
    const std::uint8_t* in = words + row * row_bytes;
    for (int g = 0; g < groups(); ++g) {
      std::uint8_t* group = out + g * group_bytes();
      const std::size_t at = (row * groups() + g) * number;
      std::memcpy(group + r * number, static_cast<const char*>(matrix.scales) + at, number);
      std::memcpy(group + (kRows + r) * number, static_cast<const char*>(matrix.biases) + at,
                  number);
      std::uint8_t* unit = group + scale_bytes();
      for (int u = 0; u < group_size_ / kUnit; ++u, unit += 64 * bits_, in += 4 * bits_) {
        const UnitValues values = read_unit(in, bits_);
        for_each_plane(bits_, [&](int width, int low, int offset) {
          for (int c = 0; c < kUnit; ++c)
            unit[byte_in_unit(width, offset, r, c)] |= ((values[c] >> low) & ((1 << width) - 1))
                                                       << shift_in_byte(width, c);
        });
      }
    }
  }
}

PackedBlocks PackedMatrix::packed_blocks() const {
  return {data(), block_bytes(), rows_, columns_, bits_, group_size_, scale_type_};
}

}  // namespace prismvid::nn::kernels
