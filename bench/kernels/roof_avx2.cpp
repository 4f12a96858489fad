#include <immintrin.h>

#include "roof.h"
#include "roof_steps.h"

namespace prismvid::bench {

std::uint64_t read_avx2(const std::uint8_t* data, std::size_t bytes) {
  __m256i sums[4] = {};
  for (std::size_t i = 0; i < bytes; i += 128)
    for (int j = 0; j < 4; ++j)
      sums[j] = _mm256_add_epi64(
          sums[j], _mm256_load_si256(reinterpret_cast<const __m256i*>(data + i + 32 * j)));
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(
      reinterpret_cast<__m256i*>(lanes),
      _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3])));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

#define ADD_BYTES(i) "vpmaddubsw %12, %12, %%ymm15\n vpaddw %%ymm15, %" #i ", %" #i "\n"

float multiply_avx2(Product product, long steps) {
  __m256 sums[kProductsOfStep] = {};
  const __m256 one = _mm256_castsi256_ps(_mm256_set1_epi32(0x3f803f80));
  if (product == Product::kFloat32) PRISMVID_RUN_STEPS(steps, sums, "x", PRISMVID_ADD_FLOATS, one);
  if (product == Product::kInt8) PRISMVID_RUN_STEPS(steps, sums, "x", ADD_BYTES, one);
  return sums[0][0];
}

}  // namespace prismvid::bench
