#pragma once
// MLX's affine packing is one little-endian stream of bits. Here its values become bytes, four to a
// register, for the integer matrix unit.
#include "device.cuh"

namespace prismvid::cuda {

template <int Bits>
struct BytePacking {
  // How much larger the values of a piece's registers 2, 3, 6, 7 and so on are than in the others.
  static constexpr int kTimes = Bits == 4 ? 16 : 1;
  // After so many bytes the values start at the same bits again.
  static constexpr int kPeriod = Bits == 6 ? 3 : Bits == 5 ? 5 : 1;
  static constexpr int kValues = 8 * kPeriod / Bits;  // in a period
  // Four periods are a block of kPeriod words; value v of each of the four becomes a register.
  static constexpr int kBlock = 4 * kValues;
  // What is arranged alike: whole blocks of at least four registers.
  static constexpr int kPiece = kBlock < 16 ? 16 : kBlock;

  // Register of a piece that has value `value` of block `block`. Four bits: the lower halves of two
  // words, then the upper ones.
  __device__ static constexpr int register_of(int block, int value) {
    return Bits == 4 ? value * 2 + block : block * kValues + value;
  }
  // Which value of a piece is byte `byte` of a register.
  __device__ static constexpr int value_of(int reg, int byte) {
    const int block = Bits == 4 ? reg % 2 : reg / kValues,
              value = Bits == 4 ? reg / 2 : reg % kValues;
    return block * kBlock + byte * kValues + value;
  }
  // How many bits further left it is than the byte's others of a register of its kind.
  __device__ static constexpr int shift_of(int, int) { return 0; }
};

// Three bits: what does not cross a byte is left where it is in it, the rest of 32 values goes to
// registers 5 and 7; who multiplies by them divides by two as often as they are shifted.
template <>
struct BytePacking<3> {
  static constexpr int kTimes = 8, kPiece = 32;

  __device__ static constexpr int value_of(int reg, int byte) {
    constexpr int values[8][4] = {{0, 3, 6, 8},     {11, 14, 16, 19}, {1, 4, 7, 9},
                                  {12, 15, 17, 20}, {22, 24, 27, 30}, {2, 5, 29, 10},
                                  {23, 25, 28, 31}, {13, 26, 18, 21}};
    return values[reg][byte];
  }
  __device__ static constexpr int shift_of(int reg, int byte) {
    constexpr int shifts[8][4] = {{0, 1, 2, 0}, {1, 2, 0, 1}, {0, 1, 2, 0}, {1, 2, 0, 1},
                                  {2, 0, 1, 2}, {0, 1, 1, 0}, {2, 0, 1, 2}, {1, 0, 0, 1}};
    return shifts[reg][byte];
  }
  __device__ static constexpr uint32_t mask_of(int reg) {
    uint32_t mask = 0;
    for (int byte = 0; byte < 4; ++byte)
      mask |= 7u << (8 * byte + shift_of(reg, byte) + (reg & 2 ? 3 : 0));
    return mask;
  }
};

// 32 values of three bits.
__device__ __forceinline__ void unpack_thirds(const uint32_t* words, uint32_t* registers) {
  using Packing = BytePacking<3>;
  const uint32_t first = words[0], second = words[1], third = words[2];
  const uint32_t sources[8] = {
      first, second,
      first, second,
      third, __byte_perm(__funnelshift_r(first, second, 6), third >> 6, 0x3610),
      third, __byte_perm(__funnelshift_r(second, third, 3), third >> 3, 0x3250)};
#pragma unroll
  for (int i = 0; i < 8; ++i) registers[i] = sources[i] & Packing::mask_of(i);
}

// Byte `index` of each of four periods.
template <int Period>
__device__ __forceinline__ uint32_t byte_plane(const uint32_t* words, int index) {
  uint32_t plane = words[0];
#pragma unroll
  for (int word = 1; word < Period; ++word) {
    uint32_t selector = 0;
    bool has = word == 1;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int at = index + i * Period;
      if (at / 4 == word) has = true;
      selector |= (at / 4 == word ? 4 + at % 4 : word == 1 ? at % 4 : i) << (4 * i);
    }
    if (has) plane = __byte_perm(plane, words[word], selector);
  }
  return plane;
}

// The others, of which four bits are left where they are in a byte.
template <int Bits, int Words, int Registers>
__device__ __forceinline__ void unpack_periods(const uint32_t* words,
                                               uint32_t (&registers)[Registers]) {
  using Packing = BytePacking<Bits>;
  constexpr int period = Packing::kPeriod, blocks = Packing::kPiece / Packing::kBlock;
  constexpr uint32_t ones = 0x01010101u, mask = ((1u << Bits) - 1) * ones;
#pragma unroll
  for (int block = 0; block < Words / period; ++block) {
    uint32_t planes[period + 1];
#pragma unroll
    for (int i = 0; i < period; ++i) planes[i] = byte_plane<period>(words + block * period, i);
#pragma unroll
    for (int value = 0; value < Packing::kValues; ++value) {
      const int at = value * Bits / 8, shift = value * Bits % 8, inside = 8 - shift;
      uint32_t& result = registers[block / blocks * (Packing::kPiece / 4) +
                                   Packing::register_of(block % blocks, value)];
      if (Bits == 8) {
        result = planes[at];
      } else if (Bits == 4) {
        result = planes[at] & (mask << shift);
      } else if (inside >= Bits) {
        result = (planes[at] >> shift) & mask;
      } else {
        const uint32_t lower = ((1u << inside) - 1) * ones;
        result = ((planes[at] >> shift) & lower) | ((planes[at + 1] << inside) & (mask ^ lower));
      }
    }
  }
}

template <int Bits, int Words, int Registers>
__device__ __forceinline__ void unpack_to_bytes(const uint32_t* words,
                                                uint32_t (&registers)[Registers]) {
  if constexpr (Bits == 3) {
#pragma unroll
    for (int i = 0; i < Words / 3; ++i) unpack_thirds(words + 3 * i, registers + 8 * i);
  } else {
    unpack_periods<Bits, Words>(words, registers);
  }
}

// Four registers of a piece of the numbers that unpacked values are multiplied by.
struct SplitBytes {
  uint4 upper, lower;  // both signed: 256 * upper + lower
};
template <int Bits>
__device__ __forceinline__ SplitBytes
split_to_bytes(const float (&values)[BytePacking<Bits>::kPiece], int quad, float factor) {
  using Packing = BytePacking<Bits>;
  // A float of this size has its integer in the lower bits; conversions have a quarter of a sum's
  // rate. 128: so that the lower byte is signed.
  constexpr float integer = (3 << 22) + 128;
  uint32_t upper[4], lower[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    uint32_t limbs[4];
#pragma unroll
    for (int byte = 0; byte < 4; ++byte) {
      const int reg = quad * 4 + i;
      const auto divisor = static_cast<float>(1 << Packing::shift_of(reg, byte));
      limbs[byte] =
          __float_as_uint(fmaf(values[Packing::value_of(reg, byte)], factor / divisor, integer));
    }
    upper[i] = __byte_perm(__byte_perm(limbs[0], limbs[1], 0x0051),
                           __byte_perm(limbs[2], limbs[3], 0x0051), 0x5410);
    lower[i] = __byte_perm(__byte_perm(limbs[0], limbs[1], 0x0040),
                           __byte_perm(limbs[2], limbs[3], 0x0040), 0x5410) ^
               0x80808080u;
  }
  return {make_uint4(upper[0], upper[1], upper[2], upper[3]),
          make_uint4(lower[0], lower[1], lower[2], lower[3])};
}

// d += a (16 x 32 unsigned bytes, row-major) * b (32 x 8 signed bytes, column-major)
__device__ __forceinline__ void multiply_add(int (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                             uint32_t a3, uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

}  // namespace prismvid::cuda
