#include "nn/kernels/packed_matrix.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "core/error.h"
#include "nn/kernels/isa.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

constexpr int kRows = kBlockRows, kUnit = kUnitColumns;

/// 32 columns of 16 rows, a byte each: word w of row r holds columns 4w to 4w + 3.
using UnitBytes = std::array<std::array<std::uint32_t, kRows>, kUnit / 4>;

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

/// Eight values of kBits, the first in the low bits, as bytes.
template <int kBits>
std::uint64_t spread_to_bytes(std::uint64_t packed) {
  constexpr auto low = [](int bits) { return (std::uint64_t{1} << bits) - 1; };
  if constexpr (kBits == 8) return packed;
  std::uint64_t x = (packed & low(4 * kBits)) | (packed >> (4 * kBits)) << 32;
  constexpr std::uint64_t kPairs = low(2 * kBits) * 0x1'0000'0001,
                          kOnes = low(kBits) * 0x1'0001'0001'0001;
  x = (x & kPairs) | (x >> (2 * kBits) & kPairs) << 16;
  return (x & kOnes) | (x >> kBits & kOnes) << 8;
}

/// Values 8i to 8i + 7 of a row's unit, from whole words: a unit has kBits of them.
template <int kBits>
std::uint64_t eight_values(const std::uint8_t* unit, int i) {
  const auto word = [&](int index) {
    std::uint32_t value;
    std::memcpy(&value, unit + 4 * index, 4);
    return std::uint64_t{value};
  };
  const int first_bit = 8 * kBits * i, first = first_bit / 32;
  const std::uint64_t next = first + 1 < kBits ? word(first + 1) << 32 : 0;
  return (word(first) | next) >> (first_bit % 32);
}

template <int kBits>
void read_unit(const std::uint8_t* in, std::size_t row_bytes, int rows, UnitBytes& unit) {
  for (int r = 0; r < rows; ++r, in += row_bytes)
    for (int i = 0; i < kUnit / 8; ++i) {
      const std::uint64_t bytes = spread_to_bytes<kBits>(eight_values<kBits>(in, i));
      unit[2 * i][r] = static_cast<std::uint32_t>(bytes);
      unit[2 * i + 1][r] = static_cast<std::uint32_t>(bytes >> 32);
    }
}

/// Plain loops over rows, which compilers make vectors of.
template <int kBits>
void pack_unit(const std::uint8_t* in, std::size_t row_bytes, int rows, std::uint8_t* out) {
  UnitBytes unit;
  if (rows < kRows) unit = {};
  read_unit<kBits>(in, row_bytes, rows, unit);
  std::array<std::array<std::uint32_t, kRows>, kBits> vectors = {};
  for (int four = 0; four < kUnit / 4; ++four)
    for_each_field(kBits, four, [&](Field field) {
      const std::uint32_t mask = ((1u << field.width) - 1) * 0x01010101u;
      for (int r = 0; r < kRows; ++r)
        vectors[field.vector][r] |= (unit[four][r] >> field.low & mask) << field.shift;
    });
  std::memcpy(out, vectors.data(), sizeof(vectors));
}

using PackUnit = void (*)(const std::uint8_t*, std::size_t, int, std::uint8_t*);

PackUnit pack_unit_of(int bits) {
  static constexpr PackUnit kOf[] = {nullptr,      nullptr,      pack_unit<2>,
                                     pack_unit<3>, pack_unit<4>, pack_unit<5>,
                                     pack_unit<6>, nullptr,      pack_unit<8>};
  return kOf[bits];
}

/// The codes of one group of `rows` rows, whose numbers lie `stride` apart from `first` on; false
/// where one has none.
bool code_biases(const QuantizedMatrixView& m, std::size_t first, std::size_t stride, int rows,
                 std::uint8_t* out) {
  for (int r = 0; r < rows; ++r, first += stride) {
    const auto code = bias_code(load_number(m.scales, m.scale_type, first),
                                load_number(m.biases, m.scale_type, first));
    if (!code) return false;
    out[r] = *code;
  }
  std::fill(out + rows, out + kRows, std::uint8_t{8});  // nothing, of scales of nothing
  return true;
}

/// One column of `rows` numbers, `stride` bytes apart, zeros below.
template <typename Number>
void pack_column(const std::uint8_t* in, std::size_t stride, int rows, std::uint8_t* out) {
  std::array<Number, kRows> numbers = {};
  for (int r = 0; r < rows; ++r) std::memcpy(&numbers[r], in + r * stride, sizeof(Number));
  std::memcpy(out, numbers.data(), sizeof(numbers));
}

Fetching best_fetching() {
  const Isa level = supported_isas().back();
  if (!is_x86(level)) return Fetching::kOneLine;
  constexpr int kZen5 = 0x1a;
  const int family = amd_family();
  if (family == 0) return Fetching::kFarSecond;
  if (family >= kZen5) return Fetching::kFarFirst;
  return level == Isa::kAvx2 ? Fetching::kNearFirst : Fetching::kOneLine;
}

}  // namespace

PackedMatrix::PackedMatrix(const QuantizedMatrixView& matrix, ThreadPool& pool, const void* bias,
                           NumberType bias_type)
    : rows_(matrix.rows),
      columns_(matrix.columns),
      bits_(matrix.bits),
      group_size_(matrix.group_size),
      scale_type_(matrix.scale_type) {
  check_matrix(matrix);
  has_bias_codes_ = bits_ <= 4 && scale_type_ == NumberType::kBfloat16;
  if (!pack(matrix, pool)) {
    has_bias_codes_ = false;
    pack(matrix, pool);
  }
  if (bias == nullptr) return;
  bias_.resize(std::size_t(blocks()) * kRows);
  for (int row = 0; row < rows_; ++row) bias_[row] = load_number(bias, bias_type, row);
}

bool PackedMatrix::pack(const QuantizedMatrixView& matrix, ThreadPool& pool) {
  data_ = allocate_aligned(bytes());
  std::atomic<bool> fits = true;
  pool.parallel_for(blocks(), [&](int block) {
    if (fits && !pack_block(matrix, block)) fits = false;
  });
  return fits;
}

bool PackedMatrix::pack_block(const QuantizedMatrixView& matrix, int block) {
  const std::size_t number = byte_size(scale_type_), row_bytes = std::size_t(columns_) * bits_ / 8;
  const std::size_t first = std::size_t(block) * kRows, scale_stride = groups() * number;
  const int rows = std::min(kRows, rows_ - block * kRows);
  const auto first_of = [&](const void* data, std::size_t stride) {
    return static_cast<const std::uint8_t*>(data) + first * stride;
  };
  const std::uint8_t* in = first_of(matrix.words, row_bytes);
  const std::uint8_t* scales = first_of(matrix.scales, scale_stride);
  const std::uint8_t* biases = first_of(matrix.biases, scale_stride);
  const auto pack_numbers = number == 4 ? pack_column<std::uint32_t> : pack_column<std::uint16_t>;
  const PackUnit pack_unit = pack_unit_of(bits_);
  std::uint8_t* out = data_.get() + block * block_bytes();
  for (int g = 0; g < groups(); ++g, scales += number, biases += number) {
    pack_numbers(scales, scale_stride, rows, out);
    if (!has_bias_codes_)
      pack_numbers(biases, scale_stride, rows, out + kRows * number);
    else if (!code_biases(matrix, first * groups() + g, groups(), rows, out + kRows * number))
      return false;
    out += scale_bytes();
    for (int u = 0; u < group_size_ / kUnit; ++u, in += 4 * bits_, out += 64 * bits_)
      pack_unit(in, row_bytes, rows, out);
  }
  return true;
}

PackedBlocks PackedMatrix::packed_blocks() const {
  static const Fetching fetching = best_fetching();
  return {.data = data(),
          .block_bytes = block_bytes(),
          .scale_bytes = scale_bytes(),
          .rows = rows_,
          .columns = columns_,
          .bits = bits_,
          .group_size = group_size_,
          .scale_type = scale_type_,
          .has_bias_codes = has_bias_codes_,
          .fetching = fetching};
}

}  // namespace prismvid::nn::kernels
