#include <immintrin.h>

#include "roof.h"

namespace prismvid::bench {

float multiply_avx_vnni(Product product, long steps) {
  if (product != Product::kInt8) return multiply_avx2(product, steps);
  __m256i sums[10] = {};
  __m256i x = _mm256_set1_epi32(0x01010101);
  for (auto& sum : sums) asm volatile("" : "+x"(sum));  // else ten equal sums are one
  for (long n = 0; n < steps; ++n) {
    for (auto& sum : sums) sum = _mm256_dpbusd_avx_epi32(sum, x, x);
    asm volatile("" : "+x"(x));
  }
  __m256i all = sums[0];
  for (int i = 1; i < 10; ++i) all = _mm256_add_epi32(all, sums[i]);
  return static_cast<float>(_mm256_extract_epi32(all, 0));
}

}  // namespace prismvid::bench
