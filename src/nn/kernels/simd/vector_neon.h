#pragma once

#include <arm_neon.h>

#include "nn/kernels/number.h"
#include "nn/kernels/simd/exp2_fraction.h"

namespace prismvid::nn::kernels {

/// Sixteen lanes of 32 bits as four registers; only for sources compiled for Armv8.2 with the dot
/// product.
struct Neon {
  struct Floats {
    float32x4_t a, b, c, d;
  };
  struct Bytes {
    uint8x16_t a, b, c, d;
  };
  // Tokens whose sums fit into the registers beside weights that are unpacked for them alone.
  static constexpr int kStreamedTokens = 4;
  static constexpr bool kKeepsPlaces = false;
  static constexpr bool kPairsBlocks = false;
  // 32 registers: four for each token's sums, four for the weights, one for an activation.
  static constexpr int kFloatTokensTogether = 6;
  template <int kBits>
  static constexpr int kTokensTogether = 6;
  template <int kBits>
  static constexpr int kPartialSteps = 0;  // the dot product sums up in 32 bits
  template <int kBits>
  static constexpr int kOffset = kBits == 8 ? 128 : 0;  // it takes signed bytes

  static Floats zero() { return broadcast(0.0f); }
  static Floats load(const float* p) {
    return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
  }
  static void store(float* p, Floats v) {
    vst1q_f32(p, v.a);
    vst1q_f32(p + 4, v.b);
    vst1q_f32(p + 8, v.c);
    vst1q_f32(p + 12, v.d);
  }
  static Floats broadcast(float v) {
    const float32x4_t four = vdupq_n_f32(v);
    return {four, four, four, four};
  }
  static Floats multiply(Floats x, Floats y) {
    return each(x, y, [](float32x4_t v, float32x4_t w) { return vmulq_f32(v, w); });
  }
  static Floats multiply_add(Floats x, Floats y, Floats z) {
    return {vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b), vfmaq_f32(z.c, x.c, y.c),
            vfmaq_f32(z.d, x.d, y.d)};
  }
  static Floats add(Floats x, Floats y) {
    return each(x, y, [](float32x4_t v, float32x4_t w) { return vaddq_f32(v, w); });
  }
  static Floats subtract(Floats x, Floats y) {
    return each(x, y, [](float32x4_t v, float32x4_t w) { return vsubq_f32(v, w); });
  }
  static Floats divide(Floats x, Floats y) {
    return each(x, y, [](float32x4_t v, float32x4_t w) { return vdivq_f32(v, w); });
  }
  /// The larger; a NaN in y stays.
  static Floats maximum(Floats x, Floats y) {
    return each(x, y,
                [](float32x4_t v, float32x4_t w) { return vbslq_f32(vcgtq_f32(v, w), v, w); });
  }
  static Floats to_floats(Bytes v) {
    return of(v, [](uint8x16_t x) { return vcvtq_f32_s32(vreinterpretq_s32_u8(x)); });
  }
  static Bytes to_integers(Floats v) {
    const auto whole = [](float32x4_t x) { return vreinterpretq_u8_s32(vcvtnq_s32_f32(x)); };
    return {whole(v.a), whole(v.b), whole(v.c), whole(v.d)};
  }
  static float sum(Floats v) {
    return vaddvq_f32(vaddq_f32(vaddq_f32(v.a, v.b), vaddq_f32(v.c, v.d)));
  }
  static float max_of(Floats v) {
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(v.a, v.b), vmaxq_f32(v.c, v.d)));
  }
  /// 2^x to 2e-7, 0 from -127 down and infinity from 127.5 up; a NaN stays.
  static Floats exp2(Floats x) {
    const auto lower = [](float32x4_t v, float32x4_t w) {
      return vbslq_f32(vcltq_f32(v, w), v, w);
    };
    x = each(broadcast(128.0f), maximum(broadcast(-127.0f), x), lower);
    const Floats whole = {vrndnq_f32(x.a), vrndnq_f32(x.b), vrndnq_f32(x.c), vrndnq_f32(x.d)};
    const Floats value = exp2_fraction<Neon>(subtract(x, whole));
    return each(value, whole, [](float32x4_t v, float32x4_t w) {
      const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(w), vdupq_n_s32(127));
      return vmulq_f32(v, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
    });
  }
  static float exp2_of(float x) { return vgetq_lane_f32(exp2(broadcast(x)).a, 0); }

  static Bytes zero_bytes() { return repeat(0); }
  static Bytes load_bytes(const void* p) {
    const auto* bytes = static_cast<const std::uint8_t*>(p);
    return {vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)};
  }
  static void store_bytes(void* p, Bytes v) {
    auto* bytes = static_cast<std::uint8_t*>(p);
    vst1q_u8(bytes, v.a);
    vst1q_u8(bytes + 16, v.b);
    vst1q_u8(bytes + 32, v.c);
    vst1q_u8(bytes + 48, v.d);
  }
  static Bytes mask(Bytes v, int byte) {
    const uint8x16_t m = vdupq_n_u8(static_cast<std::uint8_t>(byte));
    return {vandq_u8(v.a, m), vandq_u8(v.b, m), vandq_u8(v.c, m), vandq_u8(v.d, m)};
  }
  static Bytes merge(Bytes low, Bytes high, int byte) {
    const Bytes masked = mask(high, byte);
    return {vorrq_u8(low.a, masked.a), vorrq_u8(low.b, masked.b), vorrq_u8(low.c, masked.c),
            vorrq_u8(low.d, masked.d)};
  }
  template <int kBits>  // negative: to the left
  static Bytes shift_right(Bytes v) {
    if constexpr (kBits > 0)
      return {vshrq_n_u8(v.a, kBits), vshrq_n_u8(v.b, kBits), vshrq_n_u8(v.c, kBits),
              vshrq_n_u8(v.d, kBits)};
    else if constexpr (kBits < 0)
      return {vshlq_n_u8(v.a, -kBits), vshlq_n_u8(v.b, -kBits), vshlq_n_u8(v.c, -kBits),
              vshlq_n_u8(v.d, -kBits)};
    else
      return v;
  }
  template <int index>
  static Floats byte_to_floats(Bytes v) {
    return of(v, [](uint8x16_t x) {
      const uint32x4_t moved = vshlq_u32(vreinterpretq_u32_u8(x), vdupq_n_s32(-8 * index));
      return vcvtq_f32_u32(vandq_u32(moved, vdupq_n_u32(255)));
    });
  }

  static Floats as_floats(Bytes v) {
    return of(v, [](uint8x16_t x) { return vreinterpretq_f32_u8(x); });
  }
  /// The bf16 in each lane's low and high half.
  static Floats low_halves(Bytes v) {
    return of(v, [](uint8x16_t x) {
      return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u8(x), 16));
    });
  }
  static Floats high_halves(Bytes v) {
    return of(v, [](uint8x16_t x) {
      return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u8(x), vdupq_n_u32(0xffff0000u)));
    });
  }

  /// The largest magnitude's bits; NaN counts as above infinity.
  static Bytes max_magnitude(Bytes most, Floats v) {
    const auto larger = [](uint8x16_t m, float32x4_t x) {
      const uint32x4_t bits = vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x7fffffff));
      return vreinterpretq_u8_u32(vmaxq_u32(vreinterpretq_u32_u8(m), bits));
    };
    return {larger(most.a, v.a), larger(most.b, v.b), larger(most.c, v.c), larger(most.d, v.d)};
  }
  static std::uint32_t max_lane(Bytes v) {
    const auto lanes = [](uint8x16_t x) { return vreinterpretq_u32_u8(x); };
    return vmaxvq_u32(
        vmaxq_u32(vmaxq_u32(lanes(v.a), lanes(v.b)), vmaxq_u32(lanes(v.c), lanes(v.d))));
  }
  /// Sixteen integers to bytes, saturating.
  static void store_narrow(std::int8_t* p, Bytes v) {
    const auto narrow = [](uint8x16_t x) { return vqmovn_s32(vreinterpretq_s32_u8(x)); };
    const int8x8_t first = vqmovn_s16(vcombine_s16(narrow(v.a), narrow(v.b)));
    const int8x8_t second = vqmovn_s16(vcombine_s16(narrow(v.c), narrow(v.d)));
    vst1q_s8(p, vcombine_s8(first, second));
  }

  static Floats load_numbers(const void* p, NumberType type) {
    if (type == NumberType::kFloat32) return load(static_cast<const float*>(p));
    uint16x8_t halves[2];
    __builtin_memcpy(halves, p, 32);
    const auto widen = [type](uint16x4_t x) {
      return type == NumberType::kFloat16 ? vcvt_f32_f16(vreinterpret_f16_u16(x))
                                          : vreinterpretq_f32_u32(vshll_n_u16(x, 16));
    };
    return {widen(vget_low_u16(halves[0])), widen(vget_high_u16(halves[0])),
            widen(vget_low_u16(halves[1])), widen(vget_high_u16(halves[1]))};
  }

  /// coded_bias() of 16 codes.
  static Floats coded_biases(const std::uint8_t* p, Floats scale) {
    const uint8x16_t codes = vld1q_u8(p);
    const uint16x8_t low = vmovl_u8(vget_low_u8(codes)), high = vmovl_u8(vget_high_u8(codes));
    const auto quarter = [](uint16x4_t narrow, float32x4_t scales) {
      const uint32x4_t code = vmovl_u16(narrow);
      const float32x4_t product = vmulq_f32(vnegq_f32(scales), vcvtq_f32_u32(vshrq_n_u32(code, 4)));
      const uint32x4_t steps = vsubq_u32(vandq_u32(code, vdupq_n_u32(15)), vdupq_n_u32(8)),
                       upper = vandq_u32(vreinterpretq_u32_f32(product), vdupq_n_u32(0xffff0000u));
      return vreinterpretq_f32_u32(vaddq_u32(upper, vshlq_n_u32(steps, 16)));
    };
    return {quarter(vget_low_u16(low), scale.a), quarter(vget_high_u16(low), scale.b),
            quarter(vget_low_u16(high), scale.c), quarter(vget_high_u16(high), scale.d)};
  }

  static void store_numbers(void* p, NumberType type, Floats v) {
    if (type == NumberType::kFloat32) return store(static_cast<float*>(p), v);
    const auto half = [type](float32x4_t x) {
      return type == NumberType::kFloat16 ? vreinterpret_u16_f16(vcvt_f16_f32(x)) : to_bfloat16(x);
    };
    const uint16x8_t halves[2] = {vcombine_u16(half(v.a), half(v.b)),
                                  vcombine_u16(half(v.c), half(v.d))};
    __builtin_memcpy(p, halves, 32);
  }

  /// Weights less kOffset.
  template <int kBits>
  static Bytes offset(Bytes v) {
    if constexpr (kOffset<kBits> == 0) return v;
    const uint8x16_t top = vdupq_n_u8(kOffset<kBits>);
    return {veorq_u8(v.a, top), veorq_u8(v.b, top), veorq_u8(v.c, top), veorq_u8(v.d, top)};
  }
  static Bytes add_widened(Bytes sum, Bytes partial) {
    const auto added = [](uint8x16_t x, uint8x16_t y) {
      return vreinterpretq_u8_u32(vaddq_u32(vreinterpretq_u32_u8(x), vreinterpretq_u32_u8(y)));
    };
    return {added(sum.a, partial.a), added(sum.b, partial.b), added(sum.c, partial.c),
            added(sum.d, partial.d)};
  }

  /// acc + four products of signed bytes in each lane.
  template <int kBits>
  static Bytes dot_bytes(Bytes acc, Bytes weights, const void* four_signed) {
    std::uint32_t four;
    __builtin_memcpy(&four, four_signed, 4);
    const int8x16_t x = vreinterpretq_s8_u32(vdupq_n_u32(four));
    const auto dot = [x](uint8x16_t sum, uint8x16_t w) {
      return vreinterpretq_u8_s32(vdotq_s32(vreinterpretq_s32_u8(sum), vreinterpretq_s8_u8(w), x));
    };
    return {dot(acc.a, weights.a), dot(acc.b, weights.b), dot(acc.c, weights.c),
            dot(acc.d, weights.d)};
  }

 private:
  template <class F>
  static Floats each(Floats x, Floats y, F f) {
    return {f(x.a, y.a), f(x.b, y.b), f(x.c, y.c), f(x.d, y.d)};
  }
  template <class F>
  static Floats of(Bytes x, F f) {
    return {f(x.a), f(x.b), f(x.c), f(x.d)};
  }
  static Bytes repeat(std::uint8_t byte) {
    const uint8x16_t v = vdupq_n_u8(byte);
    return {v, v, v, v};
  }
  /// Rounds to nearest even; a NaN stays one.
  static uint16x4_t to_bfloat16(float32x4_t v) {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16);
  }
};

}  // namespace prismvid::nn::kernels
