// Products of bf16 in AMX's tiles (Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 1, chapter 18): sums of 16 tokens and 16 rows of weights in one register.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

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

}  // namespace prismvid::nn::kernels
