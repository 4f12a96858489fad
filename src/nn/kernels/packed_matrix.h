#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/kernels/aligned_memory.h"
#include "nn/kernels/packed_layout.h"
#include "nn/kernels/thread_pool.h"

namespace prismvid::nn::kernels {

/// A matrix (rows, columns) as mlx::core::quantize(mode = affine) leaves it; borrowed.
/// Value k of a row is bits [k * bits, (k + 1) * bits) of the row's little-endian words;
/// weight = scale * value + bias, with one scale and one bias for `group_size` columns.
struct QuantizedMatrixView {
  const std::uint32_t* words = nullptr;  // (rows, columns * bits / 32)
  const void* scales = nullptr;          // (rows, columns / group_size)
  const void* biases = nullptr;          // as scales
  NumberType scale_type = NumberType::kBfloat16;
  int rows = 0;
  int columns = 0;
  int bits = 4;
  int group_size = 64;
};

/// The same numbers in the order in which the kernels read them: blocks of 16 rows; in a block,
/// group after group: 16 scales, 16 biases (or where all have one the bytes of bias_code()), then
/// the group's values 32 columns at a time, `bits` times 64 bytes each. In such a vector row r has
/// bytes 4r to 4r + 3, and byte i holds columns i of some fours of columns (for_each_field()). At 3
/// bits those are two whole values, and a third's upper two bits or two others' lowest; else bit
/// planes 8, 4, 2 and 1 wide (6 bits: 4 + 2, 5: 4 + 1). Takes as many bytes as the original or
/// fewer, with rows rounded up to 16.
class PackedMatrix {
 public:
  /// `bias`: null, or a number of `bias_type` for each row, added to every product.
  /// Throws kInvalidArgument for bits, groups or sizes that are not supported.
  PackedMatrix(const QuantizedMatrixView& matrix, ThreadPool& pool, const void* bias = nullptr,
               NumberType bias_type = NumberType::kFloat32);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  int bits() const { return bits_; }
  int group_size() const { return group_size_; }
  NumberType scale_type() const { return scale_type_; }

  int blocks() const { return (rows_ + kBlockRows - 1) / kBlockRows; }
  int groups() const { return columns_ / group_size_; }
  std::size_t scale_bytes() const {
    return kBlockRows * (byte_size(scale_type_) + (has_bias_codes_ ? 1 : byte_size(scale_type_)));
  }
  std::size_t group_bytes() const {
    return scale_bytes() + static_cast<std::size_t>(2 * bits_) * group_size_;
  }
  std::size_t block_bytes() const { return group_bytes() * groups(); }
  std::size_t bytes() const { return block_bytes() * blocks(); }
  const std::uint8_t* data() const { return data_.get(); }
  const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }

  PackedBlocks packed_blocks() const;

 private:
  /// Both return false where has_bias_codes_ is set and a bias has no code.
  bool pack(const QuantizedMatrixView& matrix, ThreadPool& pool);
  bool pack_block(const QuantizedMatrixView& matrix, int block);

  int rows_, columns_, bits_, group_size_;
  NumberType scale_type_;
  bool has_bias_codes_;
  AlignedMemory data_;
  std::vector<float> bias_;  // rows rounded up to 16
};

}  // namespace prismvid::nn::kernels
