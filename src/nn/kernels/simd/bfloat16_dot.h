#pragma once

#include "nn/kernels/simd/vector_avx512.h"

namespace prismvid::nn::kernels {

/// Products of whole numbers as bf16 pairs, two columns in a step; for sources compiled with BF16.
struct Bfloat16Dot {
  using Vector = Avx512Lanes<true>;
  using Sum = __m512;
  static constexpr int kColumnsPerStep = 2;
  static constexpr bool kRoundsToBytes = false;

  template <int kBits>
  static constexpr int kTokensTogether = 12;
  template <int kBits>
  static constexpr int kBlocksPerTile = 2;
  template <int kBits>
  static constexpr int kPartialSteps = 0;
  template <int kBits>
  static constexpr int kOffset = 0;

  static Sum zero() { return _mm512_setzero_ps(); }
  static __m512 to_floats(Sum sum) { return sum; }
  template <int kBits>
  static Sum dot(Sum sum, __m512i weights, const void* x) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0"
        : "+v"(sum)
        : "v"(weights), "m"(*static_cast<const Vector::FourBytes*>(x)));
    return sum;
  }
  template <int kBits>
  static Sum dot_repeated(Sum sum, __m512i weights, __m512i pair) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(pair));
    return sum;
  }
  /// Whole numbers up to 256 are exact in bf16, so their f32 form has an empty low half.
  template <int kBits>
  static void store_panel(std::uint8_t* panel, __m512i bytes) {
    const auto pair = [](__m512 even, __m512 odd) {
      return _mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(even), 16),
                             _mm512_castps_si512(odd));
    };
    Vector::store_bytes(panel,
                        pair(Vector::byte_to_floats<0>(bytes), Vector::byte_to_floats<1>(bytes)));
    Vector::store_bytes(panel + 64,
                        pair(Vector::byte_to_floats<2>(bytes), Vector::byte_to_floats<3>(bytes)));
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
