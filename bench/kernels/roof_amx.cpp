#include <immintrin.h>

#include "roof.h"

namespace prismvid::bench {

float multiply_amx(Product product, long steps) {
  if (product != Product::kBfloat16) return multiply_avx512(product, steps);
  struct alignas(64) {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  alignas(64) float sums[256] = {};
  asm volatile("" ::"r"(&config) : "memory");  // g++ 12 believes that only 8 bytes are read
  _tile_loadconfig(&config);
  _tile_zero(6);
  _tile_zero(7);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  for (long n = 0; n < steps; ++n) {
    for (int i = 0; i < 2; ++i) {
      _tile_dpbf16ps(0, 6, 7);
      _tile_dpbf16ps(1, 6, 7);
      _tile_dpbf16ps(2, 6, 7);
      _tile_dpbf16ps(3, 6, 7);
      _tile_dpbf16ps(4, 6, 7);
    }
  }
  _tile_stored(0, sums, 64);
  _tile_release();
  return sums[0];
}

}  // namespace prismvid::bench
