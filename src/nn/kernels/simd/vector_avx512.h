#pragma once

#include <immintrin.h>

#include "nn/kernels/number.h"
#include "nn/kernels/simd/exp2_fraction.h"

namespace prismvid::nn::kernels {

/// Sixteen lanes of 32 bits; only for sources compiled for AVX-512 with VNNI and BF16.
struct Avx512 {
  using FourBytes = std::uint32_t __attribute__((may_alias, aligned(1)));
  using Floats = __m512;
  using Bytes = __m512i;  // 64, or 16 sums of 32 bits
  // Tokens whose sums fit into the registers beside weights that are unpacked for them alone.
  static constexpr int kStreamedTokens = 8;
  static constexpr bool kKeepsSums = true;  // of more tokens too, see multiply_panel()
  static constexpr int kFloatTokensTogether = 12;
  template <int kBits>
  static constexpr int kTokensTogether = 12;
  template <int kBits>
  static constexpr int kPartialSteps = 0;  // VNNI sums up in 32 bits
  template <int kBits>
  static constexpr int kOffset = 0;

  static Floats zero() { return _mm512_setzero_ps(); }
  static Floats load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Floats v) { _mm512_storeu_ps(p, v); }
  static Floats broadcast(float v) { return _mm512_set1_ps(v); }
  static Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats to_floats(Bytes v) { return _mm512_cvtepi32_ps(v); }
  static Bytes to_integers(Floats v) { return _mm512_cvtps_epi32(v); }
  static float sum(Floats v) { return _mm512_reduce_add_ps(v); }
  static Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static Floats divide(Floats a, Floats b) { return _mm512_div_ps(a, b); }
  /// The larger; a NaN in b stays.
  static Floats maximum(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static float max_of(Floats v) { return _mm512_reduce_max_ps(v); }
  /// 2^x to 2e-7, 0 from -150 down and infinity from 128 up; a NaN stays.
  static Floats exp2(Floats x) {
    x = _mm512_min_ps(broadcast(200.0f), maximum(broadcast(-200.0f), x));
    const Floats whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT);
    return _mm512_scalef_ps(exp2_fraction<Avx512>(_mm512_sub_ps(x, whole)), whole);
  }
  static float exp2_of(float x) { return _mm512_cvtss_f32(exp2(broadcast(x))); }

  static Bytes zero_bytes() { return _mm512_setzero_si512(); }
  static Bytes load_bytes(const void* p) { return _mm512_loadu_si512(p); }
  static void store_bytes(void* p, Bytes v) { _mm512_storeu_si512(p, v); }
  static Bytes mask(Bytes v, int byte) { return _mm512_and_si512(v, _mm512_set1_epi8(byte)); }
  /// low | (high & byte)
  static Bytes merge(Bytes low, Bytes high, int byte) {
    return _mm512_ternarylogic_epi32(low, high, _mm512_set1_epi8(byte), 0xf8);
  }
  template <int kBits>  // negative: to the left; bits cross bytes, so mask afterwards
  static Bytes shift_right(Bytes v) {
    if constexpr (kBits >= 0)
      return _mm512_srli_epi16(v, kBits);
    else
      return _mm512_slli_epi16(v, -kBits);
  }
  /// Byte `index` of each lane as a number.
  template <int index>
  static Floats byte_to_floats(Bytes v) {
    return _mm512_cvtepi32_ps(
        _mm512_and_si512(_mm512_srli_epi32(v, 8 * index), _mm512_set1_epi32(255)));
  }

  static Floats as_floats(Bytes v) { return _mm512_castsi512_ps(v); }

  /// The largest magnitude's bits; NaN counts as above infinity.
  static Bytes max_magnitude(Bytes most, Floats v) {
    const auto bits = _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff));
    return _mm512_max_epu32(most, bits);
  }
  static std::uint32_t max_lane(Bytes v) { return _mm512_reduce_max_epu32(v); }
  /// Sixteen integers to bytes, saturating.
  static void store_narrow(std::int8_t* p, Bytes v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(v));
  }

  static Floats load_numbers(const void* p, NumberType type) {
    if (type == NumberType::kFloat32) return _mm512_loadu_ps(p);
    const __m256i half = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    if (type == NumberType::kFloat16) return _mm512_cvtph_ps(half);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }

  static void store_numbers(void* p, NumberType type, Floats v) {
    auto* half = static_cast<__m256i*>(p);
    if (type == NumberType::kFloat32)
      _mm512_storeu_ps(p, v);
    else if (type == NumberType::kFloat16)
      _mm256_storeu_si256(half, _mm512_cvtps_ph(v, 0));
    else
      _mm256_storeu_si256(half, (__m256i)_mm512_cvtneps_pbh(v));
  }

  template <int kBits>
  static Bytes offset(Bytes v) {
    return v;
  }
  static Bytes add_widened(Bytes sum, Bytes partial) { return _mm512_add_epi32(sum, partial); }

  /// acc + four products of unsigned and signed bytes in each lane.
  template <int kBits>
  static Bytes dot_bytes(Bytes acc, Bytes unsigned_bytes, const void* four_signed) {
    // g++ 12 copies each accumulator and leaves the broadcast an instruction of its own.
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(acc)
        : "v"(unsigned_bytes), "m"(*static_cast<const FourBytes*>(four_signed)));
    return acc;
  }
  static Bytes repeat_four(const void* p) {
    return _mm512_set1_epi32(static_cast<int>(*static_cast<const FourBytes*>(p)));
  }
};

/// Products of whole numbers as bf16 pairs: two columns in a step.
struct Bfloat16Dot512 {
  using Vector = Avx512;
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
        : "v"(weights), "m"(*static_cast<const Avx512::FourBytes*>(x)));
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
    Avx512::store_bytes(panel,
                        pair(Avx512::byte_to_floats<0>(bytes), Avx512::byte_to_floats<1>(bytes)));
    Avx512::store_bytes(panel + 64,
                        pair(Avx512::byte_to_floats<2>(bytes), Avx512::byte_to_floats<3>(bytes)));
  }
  /// Rounds 16 numbers, writes them side by side and returns the rounded ones.
  static __m512 store_row(std::uint8_t* out, __m512 x) {
    const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(x);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), rounded);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
  }
  /// Rounds 16 numbers, writes them as pairs `stride` bytes apart and returns the rounded ones.
  static __m512 store_activations(std::uint8_t* out, std::size_t stride, __m512 x) {
    alignas(32) std::uint32_t pairs[8];
    const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(x);
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), rounded);
    for (int i = 0; i < 8; ++i) __builtin_memcpy(out + i * stride, &pairs[i], 4);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
  }
};

}  // namespace prismvid::nn::kernels
