#pragma once

#include <immintrin.h>

#include "nn/kernels/number.h"
#include "nn/kernels/simd/exp2_fraction.h"

namespace prismvid::nn::kernels {

/// Sixteen lanes of 32 bits; only for sources compiled for AVX-512 with VNNI, and with BF16 where
/// kHasBfloat16. Two types, so that no source runs a function that was compiled for the other.
template <bool kHasBfloat16>
struct Avx512Lanes {
  using FourBytes = std::uint32_t __attribute__((may_alias, aligned(1)));
  using Floats = __m512;
  using Bytes = __m512i;  // 64, or 16 sums of 32 bits
  // Tokens whose sums fit into the registers beside weights that are unpacked for them alone.
  static constexpr int kStreamedTokens = 8;
  static constexpr bool kKeepsPlaces = true;  // for one token, see PlacedSums
  // An activation out of memory for each product would hold the products up.
  static constexpr bool kPairsBlocks = true;
  static constexpr int kFloatTokensTogether = 12;
  template <int kBits>
  static constexpr int kTokensTogether = 12;
  static constexpr int kTokensOfPair = 12;  // with two blocks of rows
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
    return _mm512_scalef_ps(exp2_fraction<Avx512Lanes>(_mm512_sub_ps(x, whole)), whole);
  }
  /// 2^x of x from 0 down to 1e-5 of it, 2^-64 from -64 down; a NaN stays.
  static Floats exp2_of_negative(Floats x) {
    const Floats turning = broadcast(12582912.0f);  // from which on a number is whole
    x = maximum(broadcast(-64.0f), x);
    const Floats moved = add(x, turning);
    const Floats rest = subtract(x, subtract(moved, turning));
    Floats sum = broadcast(9.5605102e-03f);
    for (float coefficient : {5.5917039e-02f, 2.4024981e-01f, 6.9312197e-01f, 9.9999919e-01f})
      sum = multiply_add(sum, rest, broadcast(coefficient));
    const Bytes power = _mm512_slli_epi32(_mm512_castps_si512(moved), 23);
    return as_floats(_mm512_add_epi32(_mm512_castps_si512(sum), power));
  }
  static float exp2_of(float x) { return _mm512_cvtss_f32(exp2(broadcast(x))); }

  static Bytes zero_bytes() { return _mm512_setzero_si512(); }
  static Bytes load_bytes(const void* p) { return _mm512_loadu_si512(p); }
  /// Into a register: g++ 12 would load for each use.
  static Bytes load_once(const void* p) {
    Bytes v = load_bytes(p);
    asm("" : "+v"(v));
    return v;
  }
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
      _mm256_storeu_si256(half, to_bfloat16(v));
  }
  /// Rounded to nearest even.
  static __m256i to_bfloat16(Floats v) {
    if constexpr (kHasBfloat16) {
      return (__m256i)_mm512_cvtneps_pbh(v);
    } else {
      const __m512i bits = _mm512_castps_si512(v), top = _mm512_srli_epi32(bits, 16);
      const __m512i odd = _mm512_and_si512(top, _mm512_set1_epi32(1));
      const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
      const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
      const __m512i quiet = _mm512_or_si512(top, _mm512_set1_epi32(0x40));
      return _mm512_cvtepi32_epi16(
          _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), quiet));
    }
  }

  template <int kBits>
  static Bytes offset(Bytes v) {
    return v;
  }
  /// sum + raised / 2^kBits, which leaves no rest.
  template <int kBits>
  static Bytes add_lowered(Bytes sum, Bytes raised) {
    return _mm512_add_epi32(sum, _mm512_srai_epi32(raised, kBits));
  }

  /// acc + four products of unsigned and signed bytes in each lane.
  template <int kBits>
  static Bytes dot_bytes(Bytes acc, Bytes unsigned_bytes, const void* four_signed) {
    // g++ 12 copies each accumulator and leaves the broadcast an instruction of its own.
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(acc)
        : "v"(unsigned_bytes), "m"(*static_cast<const FourBytes*>(four_signed)));
    return acc;
  }
  template <int kBits>
  static Bytes dot_repeated(Bytes acc, Bytes unsigned_bytes, Bytes four_signed) {
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(unsigned_bytes), "v"(four_signed));
    return acc;
  }
  /// acc + two products of signed 16-bit numbers in each lane.
  static Bytes dot_words(Bytes acc, Bytes words, Bytes two_words) {
    asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(words), "v"(two_words));
    return acc;
  }
  /// The low halves of `even` beside those of `odd`.
  static Bytes join_halves(Bytes even, Bytes odd) {
    return _mm512_mask_blend_epi16(0xaaaaaaaau, even, _mm512_slli_epi32(odd, 16));
  }
  /// Sixteen integers to 16 bits, saturating.
  static void store_words(void* p, Bytes v) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_cvtsepi32_epi16(v));
  }
  static Bytes repeat_integer(int value) { return _mm512_set1_epi32(value); }
  static Bytes repeat_four(const void* p) {
    return _mm512_set1_epi32(static_cast<int>(*static_cast<const FourBytes*>(p)));
  }
};

}  // namespace prismvid::nn::kernels
