// Products with quantised and plain weights in AMX's tiles.
#pragma once

#include "nn/kernels/simd/bfloat16_dot.h"
#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/tiles.h"

namespace prismvid::nn::kernels {

/// Products of bf16 pairs in tiles. A tile of activations lies step after step, in each its tokens
/// with their pairs side by side.
struct TileDot {
  using Vector = Avx512Lanes<true>;
  static constexpr int kColumnsPerStep = 2;
  static constexpr bool kRoundsToBytes = false, kIsTiled = true;
  template <int kBits>
  static constexpr int kBlocksPerTile = 2;
  template <int kBits>
  static constexpr int kOffset = 0;

  /// Pairs of a step of a matrix with so many columns, a multiple of 16.
  static constexpr int pairs(int columns) { return columns % 32 == 0 ? 16 : 8; }

  /// What B blocks give for `tokens`, whose tile is of a matrix of `all_columns`.
  template <int B>
  static void add(const std::uint8_t* weights, std::size_t next_block, int columns, int all_columns,
                  const std::uint8_t* x, int tokens, float* const* out) {
    const int step = pairs(all_columns);
    Tiles::shape(tokens, step);
    const auto token_stride = static_cast<std::size_t>(4 * step);
    Tiles::multiply<B>({x, token_stride, token_stride * static_cast<std::size_t>(tokens)}, weights,
                       next_block, columns / (2 * step), out);
  }

  /// A group's bytes as pairs of scale * byte + bias. Put among the bits of 1.0f a byte is
  /// 1 + byte / 256, which spares it from becoming a number first.
  class Scaling {
   public:
    Scaling(__m512 scale, __m512 bias)
        : scale_(_mm512_mul_ps(scale, _mm512_set1_ps(256))), bias_(_mm512_sub_ps(bias, scale_)) {}

    /// Four columns of 16 rows.
    void store(std::uint8_t* panel, __m512i bytes) const {
      store_pairs(panel, number(_mm512_slli_epi32(bytes, 15)), number(_mm512_slli_epi32(bytes, 7)));
      store_pairs(panel + 64, number(_mm512_srli_epi32(bytes, 1)),
                  number(_mm512_srli_epi32(bytes, 9)));
    }

   private:
    /// Of the byte that lies 15 bits up.
    __m512 number(__m512i byte) const {
      const __m512i mask = _mm512_set1_epi32(0xff << 15), one = _mm512_set1_epi32(0x3f800000);
      const __m512i raised = _mm512_ternarylogic_epi32(byte, mask, one, 0xea);  // byte & mask | one
      return _mm512_fmadd_ps(_mm512_castsi512_ps(raised), scale_, bias_);
    }
    static void store_pairs(std::uint8_t* panel, __m512 even, __m512 odd) {
      alignas(64) static constexpr std::uint16_t kOrder[32] = {
          0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
          8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
      const auto rounded = (__m512i)_mm512_cvtne2ps_pbh(odd, even);
      _mm512_storeu_si512(panel, _mm512_permutexvar_epi16(_mm512_load_si512(kOrder), rounded));
    }

    __m512 scale_, bias_;
  };
};

/// Rounds a tile of activations.
static void prepare_tiles(const PrepareArguments& a) {
  using V = TileDot::Vector;
  const int step = 2 * TileDot::pairs(a.columns);
  const std::size_t number = byte_size(a.input_type);
  for (int t = 0; t < a.tokens; ++t) {
    const char* row = static_cast<const char*>(a.input) + t * a.input_stride * number;
    std::uint8_t* out = a.prepared + 2 * t * step;
    for (int k = 0; k < a.columns; k += step, out += 2 * step * a.tokens)
      for (int i = 0; i < step; i += 16)
        V::store_numbers(out + 2 * i, NumberType::kBfloat16,
                         V::load_numbers(row + (k + i) * number, a.input_type));
  }
}

static void multiply_tiles(const MultiplyArguments& a) {
  multiply<TileDot>(a);
  Tiles::release();
}

static void multiply_dense_tiles(const DenseArguments& a) {
  multiply_dense<TileDot>(a);
  Tiles::release();
}

}  // namespace prismvid::nn::kernels
