#pragma once

#include "nn/kernels/simd/vector_avx512.h"

namespace prismvid::nn::kernels {

/// Products of bf16 pairs, two columns in a step; for sources compiled with BF16.
struct Bfloat16Dot {
  using Vector = Avx512Lanes<true>;
  using Sum = __m512;
  static constexpr int kColumnsPerStep = 2;
  static constexpr bool kRoundsToBytes = false;

  template <int kBits>
  static constexpr int kTokensTogether = 12;

  static Sum zero() { return _mm512_setzero_ps(); }
  static __m512 to_floats(Sum sum) { return sum; }
  template <int kBits>
  static Sum dot(Sum sum, __m512i weights, const void* x) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0"
        : "+v"(sum)
        : "v"(weights), "m"(*static_cast<const Vector::FourBytes*>(x)));
    return sum;
  }
  /// Rounds 16 numbers, writes them side by side and returns the rounded ones.
  static __m512 store_row(std::uint8_t* out, __m512 x) {
    const __m256i rounded = Vector::to_bfloat16(x);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), rounded);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
  }
  /// Rounds 16 numbers, writes them as pairs `stride` bytes apart and returns the rounded ones.
  static __m512 store_activations(std::uint8_t* out, std::size_t stride, __m512 x) {
    alignas(32) std::uint32_t pairs[8];
    const __m256i rounded = Vector::to_bfloat16(x);
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), rounded);
    for (int i = 0; i < 8; ++i) __builtin_memcpy(out + i * stride, &pairs[i], 4);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
  }
};

}  // namespace prismvid::nn::kernels
