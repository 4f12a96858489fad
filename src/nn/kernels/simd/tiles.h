// Products of bf16 in AMX's tiles (Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 1, chapter 18): sums of 16 tokens and 16 rows of weights in one register.
#pragma once

#include "nn/kernels/simd/bfloat16_dot.h"
#include "nn/kernels/simd/dense_linear.h"

namespace prismvid::nn::kernels {

/// Rows of bf16 pairs: a token's step of them is 4 bytes a pair long. Strides in bytes.
struct TileRows {
  const std::uint8_t* data;
  std::size_t token_stride, step_stride;
};

/// This thread's tiles. Their shape stays from product to product until release().
class Tiles {
 public:
  /// Products from now on are of `tokens` (up to kTiledTokens) and `pairs` (up to 16) a step.
  static void shape(int tokens, int pairs) {
    if (tokens == tokens_ && pairs == pairs_) return;
    tokens_ = tokens, pairs_ = pairs;
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } config;
    const int low = tokens < 16 ? tokens : 16;
    const int rows[] = {low, low, tokens - low, tokens - low, low, tokens - low, pairs, pairs};
    for (int i = 0; i < 8; ++i) {
      config.rows[i] = static_cast<std::uint8_t>(rows[i]);
      const bool is_of_tokens = i == 4 || i == 5;
      config.row_bytes[i] = static_cast<std::uint16_t>(rows[i] == 0   ? 0
                                                       : is_of_tokens ? 4 * pairs
                                                                      : 64);
    }
    asm volatile("" ::"r"(&config) : "memory");  // g++ 12 believes that only 8 bytes are read
    _tile_loadconfig(&config);
  }

  static void release() {
    _tile_release();
    tokens_ = pairs_ = 0;
  }

  /// out[b] (tokens, 16) = or += block b of the weights times x. Blocks lie `next_block` bytes
  /// apart, their pairs of 16 rows one behind the other.
  template <int B, bool kAdds = true>
  static void multiply(TileRows x, const std::uint8_t* weights, std::size_t next_block, int steps,
                       float* const* out) {
    if (tokens_ > 16)
      multiply<B, kAdds, true>(x, weights, next_block, steps, out);
    else
      multiply<B, kAdds, false>(x, weights, next_block, steps, out);
  }

 private:
  template <int B, bool kAdds, bool kTwoOfTokens>
  static void multiply(TileRows x, const std::uint8_t* weights, std::size_t next_block, int steps,
                       float* const* out) {
    float *const first = out[0], *const second = out[B - 1];
    asm volatile("" ::: "memory");  // the compiler does not know what tiles read
    if constexpr (kAdds) {
      _tile_loadd(0, first, 64);
      if constexpr (B == 2) _tile_loadd(1, second, 64);
      if constexpr (kTwoOfTokens) _tile_loadd(2, first + 256, 64);
      if constexpr (kTwoOfTokens && B == 2) _tile_loadd(3, second + 256, 64);
    } else {
      _tile_zero(0);
      if constexpr (B == 2) _tile_zero(1);
      if constexpr (kTwoOfTokens) _tile_zero(2);
      if constexpr (kTwoOfTokens && B == 2) _tile_zero(3);
    }
    const std::size_t step_bytes = 64 * static_cast<std::size_t>(pairs_);
    for (int s = 0; s < steps; ++s, x.data += x.step_stride, weights += step_bytes) {
      _tile_loadd(4, x.data, x.token_stride);
      _tile_loadd(6, weights, 64);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (B == 2) {
        _tile_loadd(7, weights + next_block, 64);
        _tile_dpbf16ps(1, 4, 7);
      }
      if constexpr (kTwoOfTokens) {
        _tile_loadd(5, x.data + 16 * x.token_stride, x.token_stride);
        _tile_dpbf16ps(2, 5, 6);
        if constexpr (B == 2) _tile_dpbf16ps(3, 5, 7);
      }
    }
    _tile_stored(0, first, 64);
    if constexpr (B == 2) _tile_stored(1, second, 64);
    if constexpr (kTwoOfTokens) _tile_stored(2, first + 256, 64);
    if constexpr (kTwoOfTokens && B == 2) _tile_stored(3, second + 256, 64);
    asm volatile("" ::: "memory");
  }

  static inline thread_local int tokens_ = 0, pairs_ = 0;
};

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
