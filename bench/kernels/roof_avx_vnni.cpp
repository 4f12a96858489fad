#include <immintrin.h>

#include "roof.h"
#include "roof_steps.h"

namespace prismvid::bench {

#define ADD_BYTES(i) "%{vex%} vpdpbusd %12, %12, %" #i "\n"

float multiply_avx_vnni(Product product, long steps) {
  if (product != Product::kInt8) return multiply_avx2(product, steps);
  __m256 sums[kProductsOfStep] = {};
  const __m256 ones = _mm256_castsi256_ps(_mm256_set1_epi32(0x01010101));
  PRISMVID_RUN_STEPS(steps, sums, "x", ADD_BYTES, ones);
  return sums[0][0];
}

}  // namespace prismvid::bench
