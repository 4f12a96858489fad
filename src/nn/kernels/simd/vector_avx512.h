#pragma once

#include <immintrin.h>

#include "nn/kernels/number.h"
#include "nn/kernels/simd/each.h"
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
  /// What `together` makes of each of 16 rows, in its lane.
  template <class F>
  static Floats across_rows(const float (*rows)[16], F together) {
    static constexpr int kRows[] = {0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15};
    Floats halves[8], quarters[4], pairs[2];
    for (int i = 0; i < 8; ++i) {
      const Floats x = load(rows[kRows[i]]), y = load(rows[kRows[i + 8]]);
      halves[i] = together(_mm512_shuffle_f32x4(x, y, 0x44), _mm512_shuffle_f32x4(x, y, 0xee));
    }
    for (int i = 0; i < 4; ++i) {
      const Floats x = halves[i], y = halves[i + 4];
      quarters[i] = together(_mm512_shuffle_f32x4(x, y, 0x88), _mm512_shuffle_f32x4(x, y, 0xdd));
    }
    for (int i = 0; i < 2; ++i)
      pairs[i] = together(_mm512_unpacklo_ps(quarters[i], quarters[i + 2]),
                          _mm512_unpackhi_ps(quarters[i], quarters[i + 2]));
    return together(_mm512_shuffle_ps(pairs[0], pairs[1], 0x44),
                    _mm512_shuffle_ps(pairs[0], pairs[1], 0xee));
  }
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
  /// 2^x to 1e-4 of it, 0 from -150 down; a NaN stays.
  static Floats exp2_of_negative(Floats x) {
    const Floats rest = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF);
    Floats sum = broadcast(7.8024521e-02f);
    for (float coefficient : {2.2606716e-01f, 6.9583354e-01f, 9.9992522e-01f})
      sum = multiply_add(sum, rest, broadcast(coefficient));
    return _mm512_scalef_ps(sum, x);  // which rounds x down
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
  static Floats load_once(const float* p) {
    Floats v = load(p);
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
  /// Of pairs of bf16.
  static Floats low_halves(Bytes v) { return as_floats(_mm512_slli_epi32(v, 16)); }
  static Floats high_halves(Bytes v) {
    return as_floats(_mm512_and_si512(v, _mm512_set1_epi32(-0x10000)));
  }

  /// The largest magnitude's bits; NaN counts as above infinity.
  static Bytes max_magnitude(Bytes most, Floats v) {
    const auto bits = _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff));
    return _mm512_max_epu32(most, bits);
  }
  static std::uint32_t max_lane(Bytes v) { return _mm512_reduce_max_epu32(v); }
  static Bytes add_bytes(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
  static Bytes add_integers(Bytes a, Bytes b) { return _mm512_add_epi32(a, b); }
  static Bytes negative_integers(Bytes v) { return _mm512_sub_epi32(_mm512_setzero_si512(), v); }
  static Bytes repeat_byte(int value) { return _mm512_set1_epi8(static_cast<char>(value)); }
  /// Signed bytes and 128.
  static Bytes without_sign(Bytes v) { return _mm512_xor_si512(v, repeat_byte(-128)); }
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

  /// coded_bias() of 16 codes.
  static Floats coded_biases(const std::uint8_t* p, Floats scale) {
    const Bytes codes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const Floats number = _mm512_cvtepi32_ps(_mm512_srli_epi32(codes, 4));
    const Bytes bits = _mm512_castps_si512(multiply(subtract(zero(), scale), number));
    const Bytes steps = _mm512_sub_epi32(mask(codes, 15), repeat_integer(8));
    return as_floats(_mm512_add_epi32(_mm512_and_si512(bits, repeat_integer(-0x10000)),
                                      _mm512_slli_epi32(steps, 16)));
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
  /// The low halves of `even` beside those of `odd`.
  static Bytes join_halves(Bytes even, Bytes odd) {
    return _mm512_mask_blend_epi16(0xaaaaaaaau, even, _mm512_slli_epi32(odd, 16));
  }
  /// The low bytes of 16-bit numbers, those of `even` beside those of `odd`.
  static Bytes join_low_bytes(Bytes even, Bytes odd) {
    return _mm512_mask_blend_epi8(kOddBytes, even, _mm512_slli_epi16(odd, 8));
  }
  /// The high bytes, rounded so that the low ones are what is left, with their sign.
  static Bytes join_high_bytes(Bytes even, Bytes odd) {
    const Bytes half = _mm512_set1_epi16(128);
    return _mm512_mask_blend_epi8(kOddBytes, _mm512_srli_epi16(_mm512_add_epi16(even, half), 8),
                                  _mm512_add_epi16(odd, half));
  }
  static constexpr std::uint64_t kOddBytes = 0xaaaaaaaaaaaaaaaa;
  /// Sixty-four integers to bytes without a sign, saturating.
  static Bytes join_integers(Bytes a, Bytes b, Bytes c, Bytes d) {
    return in_order(_mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
  }
  /// The same with a sign.
  static Bytes join_signed(Bytes a, Bytes b, Bytes c, Bytes d) {
    return in_order(_mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
  }
  /// Fours of bytes that were packed within each quarter.
  static Bytes in_order(Bytes v) {
    const Bytes order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, v);
  }
  /// The sum of the four signed bytes of each lane.
  static Bytes sums_of_bytes(Bytes v) {
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), v);
  }
  /// The largest lane of each of four, without a sign.
  static void store_most(std::uint32_t* p, const Bytes (&four)[4]) {
    const auto larger = [](Bytes a, Bytes b) { return _mm512_max_epu32(a, b); };
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), across_four(four, larger));
  }
  /// The sum of the integers of each of four.
  static void store_sums(float* p, const Bytes (&four)[4]) {
    _mm_storeu_ps(p, _mm_cvtepi32_ps(across_four(four, add_integers)));
  }
  static void store_sums(std::int32_t* p, const Bytes (&four)[4]) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), across_four(four, add_integers));
  }
  /// Adds 128 to the bytes of each first of two lanes, for bytes without sign.
  static Bytes first_without_sign(Bytes v) {
    return _mm512_xor_si512(v, _mm512_set1_epi64(0x80808080));
  }
  /// In each first of two lanes four products of its bytes without sign and its neighbour's with
  /// one, in the others nothing.
  static Bytes neighbour_products(Bytes v) {
    const Bytes neighbours = _mm512_maskz_shuffle_epi32(0x5555, v, _MM_PERM_DDBB);
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), v, neighbours);
  }
  /// (x1 + 128) x2 for each first four of eight numbers and their neighbours, in the others
  /// nothing.
  static Floats neighbour_products(Floats v) {
    const Floats neighbours = _mm512_shuffle_f32x4(v, v, 0xb1);
    return _mm512_maskz_mul_ps(0x0f0f, _mm512_add_ps(v, broadcast(128.0f)), neighbours);
  }
  template <class F>
  static __m128i across_four(const Bytes (&four)[4], F together) {
    const auto halves = [&](Bytes a, Bytes b) {
      return together(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    };
    const Bytes even = halves(four[0], four[1]), odd = halves(four[2], four[3]);
    Bytes all = together(_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd));
    all = together(all, _mm512_shuffle_i32x4(all, all, 0x4e));
    return _mm512_castsi512_si128(together(all, _mm512_shuffle_i32x4(all, all, 0xb1)));
  }
  /// Lane i of each of four, side by side, at p + i * stride.
  static void store_columns(std::uint8_t* p, std::size_t stride, const Bytes (&four)[4]) {
    const Bytes low = _mm512_unpacklo_epi32(four[0], four[1]),
                high = _mm512_unpackhi_epi32(four[0], four[1]),
                next_low = _mm512_unpacklo_epi32(four[2], four[3]),
                next_high = _mm512_unpackhi_epi32(four[2], four[3]);
    const Bytes columns[] = {
        _mm512_unpacklo_epi64(low, next_low), _mm512_unpackhi_epi64(low, next_low),
        _mm512_unpacklo_epi64(high, next_high), _mm512_unpackhi_epi64(high, next_high)};
    each<4>([&]<int quarter>() {
      for (int i = 0; i < 4; ++i)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p + (4 * quarter + i) * stride),
                         _mm512_extracti32x4_epi32(columns[i], quarter));
    });
  }
  static Bytes repeat_integer(int value) { return _mm512_set1_epi32(value); }
  static Bytes repeat_four(const void* p) {
    return _mm512_set1_epi32(static_cast<int>(*static_cast<const FourBytes*>(p)));
  }
};

}  // namespace prismvid::nn::kernels
