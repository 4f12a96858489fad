#include "nn/kernels/simd/tiles.h"
#include "roof.h"

namespace prismvid::bench {

float multiply_amx(Product product, long steps) {
  if (product != Product::kBfloat16) return multiply_avx512(product, steps);
  alignas(64) float sums[256] = {};
  nn::kernels::Tiles::shape(32, 16);  // all of 16 rows of 64 bytes, and zero
  for (long n = 0; n < steps; ++n) {
    for (int i = 0; i < kProductsOfStep / 6; ++i) {
      _tile_dpbf16ps(0, 6, 7);
      _tile_dpbf16ps(1, 6, 7);
      _tile_dpbf16ps(2, 6, 7);
      _tile_dpbf16ps(3, 6, 7);
      _tile_dpbf16ps(4, 6, 7);
      _tile_dpbf16ps(5, 6, 7);
    }
  }
  _tile_stored(0, sums, 64);
  nn::kernels::Tiles::release();
  return sums[0];
}

}  // namespace prismvid::bench
