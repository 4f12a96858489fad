#pragma once
// MLX's affine packing is one little-endian stream of bits. A lane holds 2 * Pairs values that
// follow each other; value i and value i + Pairs become one pair of bf16, the first in the low
// half.
#include "device.cuh"

namespace prismvid::cuda {

// Quantised values are made bf16 by putting them under the exponent of 128 (one instruction for
// two), where they fit beside the leading one. The 128 is taken off with the bias of the group.
template <int Bits>
constexpr float kOffset = Bits < 8 ? 128.0f : 0.0f;

// 16 bits from bit `A` and 16 from bit `B` of the stream.
template <int A, int B, int Words>
__device__ __forceinline__ uint32_t two_windows(const uint32_t (&words)[Words]) {
  const auto window = [&](int bit) -> uint32_t {  // in the low half; the upper is anything
    const int word = bit / 32, shift = bit % 32;
    if (shift == 0) return words[word];
    if (shift <= 16 || word + 1 >= Words) return words[word] >> shift;
    return __funnelshift_r(words[word], words[word + 1], shift);
  };
  if constexpr (A % 32 == 16 && B % 32 == 16)
    return __byte_perm(words[A / 32], words[B / 32], 0x7632);
  else if constexpr (A % 32 == 0 && B == A + 16)
    return words[A / 32];
  else
    return __byte_perm(window(A), window(B), 0x5410);
}

// (value & mask) | under in one instruction, which two constants in its code would make two.
__device__ __forceinline__ uint32_t put_under(uint32_t value, uint32_t mask, uint32_t under) {
  uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(result) : "r"(value), "r"(mask), "r"(under));
  return result;
}

template <int Bits, int Pairs, int Pair, int Words>
__device__ __forceinline__ void unpack_windows(const uint32_t (&words)[Words],
                                               uint32_t (&pairs)[Pairs]) {
  constexpr int per_window = 16 / Bits;
  if constexpr (Pair < Pairs) {
    const uint32_t window = two_windows<Pair * Bits, (Pair + Pairs) * Bits>(words);
    constexpr uint32_t mask = ((1u << Bits) - 1) * 0x00010001u;
#pragma unroll
    for (int i = 0; i < per_window; ++i)
      if (Pair + i < Pairs) pairs[Pair + i] = put_under(window >> (i * Bits), mask, 0x43004300u);
    unpack_windows<Bits, Pairs, Pair + per_window>(words, pairs);
  }
}

// Eight bits do not fit under an exponent: exact by way of float.
template <int Pairs, int Words>
__device__ __forceinline__ void unpack_bytes(const uint32_t (&words)[Words],
                                             uint32_t (&pairs)[Pairs]) {
#pragma unroll
  for (int i = 0; i < Pairs; ++i) {
    const auto value = [&](int index) {
      const uint32_t bits = __byte_perm(words[index / 4], 0x4b000000u, 0x7440 + index % 4);
      return __uint_as_float(bits) - 8388608.0f;  // 2^23
    };
    pairs[i] = pack(value(i), value(i + Pairs));
  }
}

template <int Bits, int Pairs, int Words>
__device__ __forceinline__ void unpack(const uint32_t (&words)[Words], uint32_t (&pairs)[Pairs]) {
  if constexpr (Bits == 8)
    unpack_bytes<Pairs>(words, pairs);
  else
    unpack_windows<Bits, Pairs, 0>(words, pairs);
}

}  // namespace prismvid::cuda
