#pragma once
// MLX's affine packing is one little-endian stream of bits. Here its values become bytes, four to a
// register, for the integer matrix unit.
#include "device.cuh"

namespace prismvid::cuda {

template <int Bits>
struct BytePacking {
  // After so many bytes the values start at the same bits again.
  static constexpr int kPeriod = Bits == 3 || Bits == 6 ? 3 : Bits == 5 ? 5 : 1;
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
};

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

// Four bits are left where they are in a byte: those of registers 2 and 3 of a piece are 16 times
// as large.
template <int Bits, int Words, int Registers>
__device__ __forceinline__ void unpack_to_bytes(const uint32_t (&words)[Words],
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
