#pragma once

#include <immintrin.h>

#include "nn/kernels/number.h"
#include "nn/kernels/simd/exp2_fraction.h"

namespace prismvid::nn::kernels {

/// Sixteen lanes of 32 bits as two registers; only for sources compiled for AVX2, FMA and F16C, and
/// with AVX-VNNI where kHasVnni. Two types, so that no source runs a function that was compiled for
/// the other.
template <bool kHasVnni>
struct Avx2Lanes {
  using FourBytes = std::uint32_t __attribute__((may_alias, aligned(1)));
  struct Floats {
    __m256 low, high;
  };
  struct Bytes {
    __m256i low, high;
  };
  // Tokens whose sums fit into the registers beside weights that are unpacked for them alone.
  static constexpr int kStreamedTokens = 4;
  static constexpr bool kKeepsPlaces = kHasVnni;  // for one token, see PlacedSums
  static constexpr bool kPairsBlocks = false;
  // 16 registers: two for each token's sums, two for the weights, one for an activation, and for
  // bytes without VNNI one for products. 8 bits need three more then, see dot_bytes().
  static constexpr int kFloatTokensTogether = 6;
  template <int kBits>
  static constexpr int kTokensTogether = kBits == 8 && !kHasVnni ? 4 : 6;
  static constexpr int kTokensOfPair = 2;  // with two blocks of rows
  /// Whether sums of products are 32 bits wide at once.
  template <int kBits>
  static constexpr bool kIsWide = kHasVnni || kBits == 8;
  /// Steps of kBits and 8 bits whose sums 16 bits hold.
  template <int kBits>
  static constexpr int kPartialSteps = kIsWide<kBits> ? 32
                                       : kBits == 2   ? 32
                                       : kBits == 3   ? 16
                                       : kBits == 4   ? 8
                                       : kBits == 5   ? 4
                                                      : 2;
  template <int kBits>
  static constexpr int kOffset = kBits == 8 && !kHasVnni ? 128 : 0;

  static Floats zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static Floats load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void store(float* p, Floats v) {
    _mm256_storeu_ps(p, v.low);
    _mm256_storeu_ps(p + 8, v.high);
  }
  static Floats broadcast(float v) { return {_mm256_set1_ps(v), _mm256_set1_ps(v)}; }
  static Floats multiply(Floats a, Floats b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
  }
  static Floats multiply_add(Floats a, Floats b, Floats c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static Floats add(Floats a, Floats b) {
    return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
  }
  static Floats to_floats(Bytes v) {
    return {_mm256_cvtepi32_ps(v.low), _mm256_cvtepi32_ps(v.high)};
  }
  static Bytes to_integers(Floats v) {
    return {_mm256_cvtps_epi32(v.low), _mm256_cvtps_epi32(v.high)};
  }
  static float sum(Floats v) {
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, _mm256_add_ps(v.low, v.high));
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  static Floats subtract(Floats a, Floats b) {
    return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
  }
  static Floats divide(Floats a, Floats b) {
    return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
  }
  /// The larger; a NaN in b stays.
  static Floats maximum(Floats a, Floats b) {
    return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
  }
  static float max_of(Floats v) {
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, _mm256_max_ps(v.low, v.high));
    float most = lanes[0];
    for (float lane : lanes) most = lane > most ? lane : most;
    return most;
  }
  /// 2^x to 2e-7, 0 from -127 down and infinity from 127.5 up; a NaN stays.
  static Floats exp2(Floats x) {
    const auto within = [](__m256 v) {
      return _mm256_min_ps(_mm256_set1_ps(128.0f), _mm256_max_ps(_mm256_set1_ps(-127.0f), v));
    };
    x = {within(x.low), within(x.high)};
    const auto nearest = [](__m256 v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT); };
    const Floats whole = {nearest(x.low), nearest(x.high)};
    const Floats value = exp2_fraction<Avx2Lanes>(
        Floats{_mm256_sub_ps(x.low, whole.low), _mm256_sub_ps(x.high, whole.high)});
    const auto power = [](__m256 v) {
      const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(127));
      return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
    };
    return multiply(value, {power(whole.low), power(whole.high)});
  }
  /// 2^x of x from 0 down to 1e-5 of it, 2^-64 from -64 down; a NaN stays.
  static Floats exp2_of_negative(Floats x) {
    return {exp2_of_negative(x.low), exp2_of_negative(x.high)};
  }
  static float exp2_of(float x) { return _mm256_cvtss_f32(exp2(broadcast(x)).low); }

  static Bytes zero_bytes() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static Bytes load_bytes(const void* p) {
    const auto* v = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1)};
  }
  /// Into registers: g++ 12 would load for each use.
  static Bytes load_once(const void* p) {
    Bytes v = load_bytes(p);
    asm("" : "+x"(v.low), "+x"(v.high));
    return v;
  }
  static void store_bytes(void* p, Bytes v) {
    auto* out = static_cast<__m256i*>(p);
    _mm256_storeu_si256(out, v.low);
    _mm256_storeu_si256(out + 1, v.high);
  }
  static Bytes mask(Bytes v, int byte) {
    const __m256i m = _mm256_set1_epi8(byte);
    return {_mm256_and_si256(v.low, m), _mm256_and_si256(v.high, m)};
  }
  static Bytes merge(Bytes low, Bytes high, int byte) {
    const Bytes masked = mask(high, byte);
    return {_mm256_or_si256(low.low, masked.low), _mm256_or_si256(low.high, masked.high)};
  }
  template <int kBits>  // negative: to the left; bits cross bytes, so mask afterwards
  static Bytes shift_right(Bytes v) {
    if constexpr (kBits >= 0)
      return {_mm256_srli_epi16(v.low, kBits), _mm256_srli_epi16(v.high, kBits)};
    else
      return {_mm256_slli_epi16(v.low, -kBits), _mm256_slli_epi16(v.high, -kBits)};
  }
  template <int index>
  static Floats byte_to_floats(Bytes v) {
    const __m256i m = _mm256_set1_epi32(255);
    return {_mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(v.low, 8 * index), m)),
            _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(v.high, 8 * index), m))};
  }

  static Floats as_floats(Bytes v) {
    return {_mm256_castsi256_ps(v.low), _mm256_castsi256_ps(v.high)};
  }
  /// The bf16 in each lane's low and high half.
  static Floats low_halves(Bytes v) {
    return as_floats({_mm256_slli_epi32(v.low, 16), _mm256_slli_epi32(v.high, 16)});
  }
  static Floats high_halves(Bytes v) {
    const __m256i m = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
    return as_floats({_mm256_and_si256(v.low, m), _mm256_and_si256(v.high, m)});
  }

  /// The largest magnitude's bits; NaN counts as above infinity.
  static Bytes max_magnitude(Bytes most, Floats v) {
    const __m256i m = _mm256_set1_epi32(0x7fffffff);
    return {_mm256_max_epu32(most.low, _mm256_and_si256(_mm256_castps_si256(v.low), m)),
            _mm256_max_epu32(most.high, _mm256_and_si256(_mm256_castps_si256(v.high), m))};
  }
  static std::uint32_t max_lane(Bytes v) {
    alignas(32) std::uint32_t lanes[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_max_epu32(v.low, v.high));
    std::uint32_t most = 0;
    for (std::uint32_t lane : lanes) most = lane > most ? lane : most;
    return most;
  }
  static void store_narrow(std::int8_t* p, Bytes v) {
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(v.low, v.high), 0xd8);
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  }

  static Floats load_numbers(const void* p, NumberType type) {
    if (type == NumberType::kFloat32) return load(static_cast<const float*>(p));
    const auto* halves = static_cast<const __m128i*>(p);
    const __m128i first = _mm_loadu_si128(halves), second = _mm_loadu_si128(halves + 1);
    if (type == NumberType::kFloat16) return {_mm256_cvtph_ps(first), _mm256_cvtph_ps(second)};
    const auto widen = [](__m128i v) {
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
    };
    return {widen(first), widen(second)};
  }

  /// coded_bias() of 16 codes.
  static Floats coded_biases(const std::uint8_t* p, Floats scale) {
    const auto half = [](const std::uint8_t* codes_at, __m256 scales) {
      const __m256i codes =
          _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes_at)));
      const __m256 number = _mm256_cvtepi32_ps(_mm256_srli_epi32(codes, 4)),
                   product = _mm256_mul_ps(_mm256_sub_ps(_mm256_setzero_ps(), scales), number);
      const __m256i steps =
          _mm256_sub_epi32(_mm256_and_si256(codes, _mm256_set1_epi32(15)), _mm256_set1_epi32(8));
      const __m256i upper =
          _mm256_and_si256(_mm256_castps_si256(product), _mm256_set1_epi32(-0x10000));
      return _mm256_castsi256_ps(_mm256_add_epi32(upper, _mm256_slli_epi32(steps, 16)));
    };
    return {half(p, scale.low), half(p + 8, scale.high)};
  }

  static void store_numbers(void* p, NumberType type, Floats v) {
    if (type == NumberType::kFloat32) return store(static_cast<float*>(p), v);
    auto* out = static_cast<__m128i*>(p);
    const bool half = type == NumberType::kFloat16;
    _mm_storeu_si128(out, half ? _mm256_cvtps_ph(v.low, 0) : to_bfloat16(v.low));
    _mm_storeu_si128(out + 1, half ? _mm256_cvtps_ph(v.high, 0) : to_bfloat16(v.high));
  }

  /// Weights less kOffset.
  template <int kBits>
  static Bytes offset(Bytes v) {
    if constexpr (kOffset<kBits> == 0) return v;
    const __m256i top = _mm256_set1_epi8(static_cast<char>(kOffset<kBits>));
    return {_mm256_xor_si256(v.low, top), _mm256_xor_si256(v.high, top)};
  }

  // In assembly: g++ 12 begins all products before it adds the first, and keeps most sums in
  // memory.

  /// Products of weights and four activations: pairs as 16 bits, of 8 bits all four as 32.
  template <int kBits>
  static Bytes multiply_bytes(Bytes weights, const void* four_signed) {
    if constexpr (kHasVnni) return dot_bytes<kBits>(zero_bytes(), weights, four_signed);
    Bytes products;
    if constexpr (kBits == 8) {
      const Bytes sizes = magnitudes(weights);
      asm("vpbroadcastd %[four], %[x]\n\t"
          "vpsignb %[low], %[x], %[p]\n\t"
          "vpsignb %[high], %[x], %[x]\n\t"
          "vpmaddubsw %[p], %[low_size], %[p]\n\t"
          "vpmaddubsw %[x], %[high_size], %[x]\n\t"
          "vpmaddwd %[ones], %[p], %[p]\n\t"
          "vpmaddwd %[ones], %[x], %[x]"
          : [p] "=&x"(products.low), [x] "=&x"(products.high)
          : [low] "x"(weights.low), [high] "x"(weights.high), [low_size] "x"(sizes.low),
            [high_size] "x"(sizes.high), [ones] "x"(ones()),
            [four] "m"(*static_cast<const FourBytes*>(four_signed)));
    } else {
      asm("vpbroadcastd %[four], %[x]\n\t"
          "vpmaddubsw %[x], %[low], %[p]\n\t"
          "vpmaddubsw %[x], %[high], %[x]"
          : [p] "=&x"(products.low), [x] "=&x"(products.high)
          : [low] "x"(weights.low), [high] "x"(weights.high),
            [four] "m"(*static_cast<const FourBytes*>(four_signed)));
    }
    return products;
  }
  /// acc + the same.
  template <int kBits>
  static Bytes dot_bytes(Bytes acc, Bytes weights, const void* four_signed) {
    __m256i x, products;
    if constexpr (kHasVnni) {
      asm("vpbroadcastd %[four], %[x]\n\t"
          "%{vex%} vpdpbusd %[x], %[low], %[sum_low]\n\t"
          "%{vex%} vpdpbusd %[x], %[high], %[sum_high]"
          : [sum_low] "+x"(acc.low), [sum_high] "+x"(acc.high), [x] "=&x"(x)
          : [low] "x"(weights.low), [high] "x"(weights.high),
            [four] "m"(*static_cast<const FourBytes*>(four_signed)));
    } else if constexpr (kBits == 8) {
      const Bytes sizes = magnitudes(weights);
      asm("vpbroadcastd %[four], %[x]\n\t"
          "vpsignb %[low], %[x], %[p]\n\t"
          "vpsignb %[high], %[x], %[x]\n\t"
          "vpmaddubsw %[p], %[low_size], %[p]\n\t"
          "vpmaddubsw %[x], %[high_size], %[x]\n\t"
          "vpmaddwd %[ones], %[p], %[p]\n\t"
          "vpmaddwd %[ones], %[x], %[x]\n\t"
          "vpaddd %[p], %[sum_low], %[sum_low]\n\t"
          "vpaddd %[x], %[sum_high], %[sum_high]"
          : [sum_low] "+x"(acc.low), [sum_high] "+x"(acc.high), [x] "=&x"(x), [p] "=&x"(products)
          : [low] "x"(weights.low), [high] "x"(weights.high), [low_size] "x"(sizes.low),
            [high_size] "x"(sizes.high), [ones] "x"(ones()),
            [four] "m"(*static_cast<const FourBytes*>(four_signed)));
    } else {
      asm("vpbroadcastd %[four], %[x]\n\t"
          "vpmaddubsw %[x], %[low], %[p]\n\t"
          "vpmaddubsw %[x], %[high], %[x]\n\t"
          "vpaddw %[p], %[sum_low], %[sum_low]\n\t"
          "vpaddw %[x], %[sum_high], %[sum_high]"
          : [sum_low] "+x"(acc.low), [sum_high] "+x"(acc.high), [x] "=&x"(x), [p] "=&x"(products)
          : [low] "x"(weights.low), [high] "x"(weights.high),
            [four] "m"(*static_cast<const FourBytes*>(four_signed)));
    }
    return acc;
  }
  /// acc + two products of signed 16-bit numbers in each lane.
  static Bytes dot_words(Bytes acc, Bytes words, Bytes two_words) {
    if constexpr (kHasVnni) {
      asm("%{vex%} vpdpwssd %[two], %[low], %[sum_low]\n\t"
          "%{vex%} vpdpwssd %[two], %[high], %[sum_high]"
          : [sum_low] "+x"(acc.low), [sum_high] "+x"(acc.high)
          : [low] "x"(words.low), [high] "x"(words.high), [two] "x"(two_words.low));
      return acc;
    }
    __m256i products;
    asm("vpmaddwd %[two], %[low], %[p]\n\t"
        "vpaddd %[p], %[sum_low], %[sum_low]\n\t"
        "vpmaddwd %[two], %[high], %[p]\n\t"
        "vpaddd %[p], %[sum_high], %[sum_high]"
        : [sum_low] "+x"(acc.low), [sum_high] "+x"(acc.high), [p] "=&x"(products)
        : [low] "x"(words.low), [high] "x"(words.high), [two] "x"(two_words.low));
    return acc;
  }
  /// The low halves of `even` beside those of `odd`.
  static Bytes join_halves(Bytes even, Bytes odd) {
    return {_mm256_blend_epi16(even.low, _mm256_slli_epi32(odd.low, 16), 0xaa),
            _mm256_blend_epi16(even.high, _mm256_slli_epi32(odd.high, 16), 0xaa)};
  }
  /// Sixteen integers to 16 bits, saturating.
  static void store_words(void* p, Bytes v) {
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(v.low, v.high), 0xd8);
    _mm256_storeu_si256(static_cast<__m256i*>(p), words);
  }
  static Bytes repeat_integer(int value) {
    return {_mm256_set1_epi32(value), _mm256_set1_epi32(value)};
  }
  static Bytes repeat_four(const void* p) {
    return repeat_integer(static_cast<int>(*static_cast<const FourBytes*>(p)));
  }
  /// What dot_bytes() added up as 32 bits.
  template <int kBits>
  static Bytes widened(Bytes partial) {
    if constexpr (kIsWide<kBits>) return partial;
    return widened_words(partial);
  }
  /// sum + raised / 2^kBits, which leaves no rest.
  template <int kBits>
  static Bytes add_lowered(Bytes sum, Bytes raised) {
    return {_mm256_add_epi32(sum.low, _mm256_srai_epi32(raised.low, kBits)),
            _mm256_add_epi32(sum.high, _mm256_srai_epi32(raised.high, kBits))};
  }
  static Bytes add_integers(Bytes a, Bytes b) {
    return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
  }

  /// 64 integers as signed bytes, saturating.
  static Bytes join_signed(Bytes a, Bytes b, Bytes c, Bytes d) { return {join(a, b), join(c, d)}; }
  /// The sum of the four signed bytes of each lane.
  static Bytes sums_of_bytes(Bytes v) {
    const __m256i one = _mm256_set1_epi8(1);
    return widened_words({_mm256_maddubs_epi16(one, v.low), _mm256_maddubs_epi16(one, v.high)});
  }
  /// The largest lane of each of four, without a sign.
  static void store_most(std::uint32_t* p, const Bytes (&four)[4]) {
    const auto larger = [](__m256i a, __m256i b) { return _mm256_max_epu32(a, b); };
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), across_four(four, larger));
  }
  /// The sum of the integers of each of four.
  static void store_sums(float* p, const Bytes (&four)[4]) {
    const auto sum = [](__m256i a, __m256i b) { return _mm256_add_epi32(a, b); };
    _mm_storeu_ps(p, _mm_cvtepi32_ps(across_four(four, sum)));
  }
  /// Lane i of each of four, side by side, at p + i * stride.
  static void store_columns(std::uint8_t* p, std::size_t stride, const Bytes (&four)[4]) {
    store_eight_columns(p, stride, four[0].low, four[1].low, four[2].low, four[3].low);
    store_eight_columns(p + 8 * stride, stride, four[0].high, four[1].high, four[2].high,
                        four[3].high);
  }

 private:
  static __m256i join(Bytes a, Bytes b) {
    const __m256i bytes =
        _mm256_packs_epi16(_mm256_packs_epi32(a.low, a.high), _mm256_packs_epi32(b.low, b.high));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  template <class F>
  static __m128i across_four(const Bytes (&four)[4], F together) {
    const auto whole = [&](Bytes v) { return together(v.low, v.high); };
    const auto halves = [&](__m256i a, __m256i b) {
      return together(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    };
    const __m256i even = halves(whole(four[0]), whole(four[1])),
                  odd = halves(whole(four[2]), whole(four[3])),
                  all =
                      together(_mm256_unpacklo_epi64(even, odd), _mm256_unpackhi_epi64(even, odd));
    return _mm256_castsi256_si128(together(all, _mm256_permute4x64_epi64(all, 0x4e)));
  }
  static void store_eight_columns(std::uint8_t* p, std::size_t stride, __m256i a, __m256i b,
                                  __m256i c, __m256i d) {
    const __m256i low = _mm256_unpacklo_epi32(a, b), high = _mm256_unpackhi_epi32(a, b),
                  next_low = _mm256_unpacklo_epi32(c, d), next_high = _mm256_unpackhi_epi32(c, d);
    const __m256i columns[] = {
        _mm256_unpacklo_epi64(low, next_low), _mm256_unpackhi_epi64(low, next_low),
        _mm256_unpacklo_epi64(high, next_high), _mm256_unpackhi_epi64(high, next_high)};
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p + i * stride),
                       _mm256_castsi256_si128(columns[i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p + (4 + i) * stride),
                       _mm256_extracti128_si256(columns[i], 1));
    }
  }
  /// Rounds to nearest even; a NaN stays one.
  static __m128i to_bfloat16(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0xd8);
    return _mm256_castsi256_si128(packed);
  }

  static __m256 exp2_of_negative(__m256 x) {
    const __m256 turning = _mm256_set1_ps(12582912.0f);  // from which on a number is whole
    x = _mm256_max_ps(_mm256_set1_ps(-64.0f), x);
    const __m256 moved = _mm256_add_ps(x, turning);
    const __m256 rest = _mm256_sub_ps(x, _mm256_sub_ps(moved, turning));
    __m256 sum = _mm256_set1_ps(9.5605102e-03f);
    for (float coefficient : {5.5917039e-02f, 2.4024981e-01f, 6.9312197e-01f, 9.9999919e-01f})
      sum = _mm256_fmadd_ps(sum, rest, _mm256_set1_ps(coefficient));
    const __m256i power = _mm256_slli_epi32(_mm256_castps_si256(moved), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(sum), power));
  }
  static Bytes widened_words(Bytes v) {
    return {_mm256_madd_epi16(v.low, ones()), _mm256_madd_epi16(v.high, ones())};
  }
  static __m256i ones() { return _mm256_set1_epi16(1); }
  /// Two products with activations are at most 2 * 128 * 127.
  static Bytes magnitudes(Bytes weights) {
    return {_mm256_abs_epi8(weights.low), _mm256_abs_epi8(weights.high)};
  }
};

}  // namespace prismvid::nn::kernels
