#pragma once

#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_neon.h"

namespace prismvid::nn::kernels {

/// Products of bytes by the matrix instruction of Armv8.6 (i8mm): two rows by two tokens, eight
/// columns at a time. Few tokens, which stream, take the dot product.
struct NeonMatrixDot : ByteDot<Neon> {
  using PairSums = int32x4_t;  // row 0 by tokens 0 and 1, row 1 by tokens 0 and 1

  /// Columns 0 to 3 and 4 to 7 of 16 rows as eight pairs of rows.
  template <int kBits>
  static void store_pair(std::uint8_t* panel, Neon::Bytes first, Neon::Bytes second) {
    const Neon::Bytes low = Neon::offset<kBits>(first), high = Neon::offset<kBits>(second);
    store_rows(panel, low.a, high.a);
    store_rows(panel + 32, low.b, high.b);
    store_rows(panel + 64, low.c, high.c);
    store_rows(panel + 96, low.d, high.d);
  }

  /// sums[t] += weights of 16 rows . x for `steps` (even) steps of four columns and T tokens.
  template <int T>
  static void add_pairs(int steps, const std::uint8_t* panel, const std::uint8_t* x,
                        std::size_t x_stride, Neon::Bytes* sums) {
    constexpr int kPairs = (T + 1) / 2;
    PairSums pairs[8][kPairs];
    for (auto& rows : pairs)
      for (PairSums& sum : rows) sum = vdupq_n_s32(0);
    for (int s = 0; s < steps; s += 2, panel += 128, x += 2 * x_stride) {
      int8x16_t tokens[kPairs];
      for (int p = 0; p < kPairs; ++p) tokens[p] = load_tokens(x + 8 * p, x_stride, 2 * p + 1 < T);
      for (int rows = 0; rows < 8; ++rows) {
        const int8x16_t weights = vreinterpretq_s8_u8(vld1q_u8(panel + 16 * rows));
        for (int p = 0; p < kPairs; ++p) multiply_add(pairs[rows][p], weights, tokens[p]);
      }
    }
    for (int t = 0; t < T; ++t) sums[t] = Neon::add_widened(sums[t], of_token(pairs, t / 2, t % 2));
  }

 private:
  static void store_rows(std::uint8_t* to, uint8x16_t first, uint8x16_t second) {
    const uint32x4_t low = vreinterpretq_u32_u8(first), high = vreinterpretq_u32_u8(second);
    vst1q_u8(to, vreinterpretq_u8_u32(vzip1q_u32(low, high)));
    vst1q_u8(to + 16, vreinterpretq_u8_u32(vzip2q_u32(low, high)));
  }
  /// Eight columns of two tokens, or of one twice.
  static int8x16_t load_tokens(const std::uint8_t* x, std::size_t x_stride, bool two) {
    const auto step = [two](const std::uint8_t* p) {
      std::uint32_t four[2];
      __builtin_memcpy(four, p, two ? 8 : 4);
      if (!two) four[1] = four[0];
      return vcombine_u32(vld1_u32(four), vdup_n_u32(0));
    };
    return vreinterpretq_s8_u32(vzip1q_u32(step(x), step(x + x_stride)));
  }
  /// In assembly, so that nothing else of these sources needs i8mm: the linker may keep any one
  /// copy of their inline functions.
  static void multiply_add(PairSums& sum, int8x16_t rows, int8x16_t tokens) {
    asm(".arch_extension i8mm\n\tsmmla %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(rows), "w"(tokens));
  }
  template <int kPairs>
  static Neon::Bytes of_token(const PairSums (&pairs)[8][kPairs], int pair, int token) {
    const auto four = [&](int rows) {
      const PairSums low = pairs[rows][pair], high = pairs[rows + 1][pair];
      return vreinterpretq_u8_s32(token == 0 ? vuzp1q_s32(low, high) : vuzp2q_s32(low, high));
    };
    return {four(0), four(2), four(4), four(6)};
  }
};

}  // namespace prismvid::nn::kernels
