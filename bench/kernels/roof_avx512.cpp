#include <immintrin.h>

#include "roof.h"
#include "roof_steps.h"

namespace prismvid::bench {

std::uint64_t read_avx512(const std::uint8_t* data, std::size_t bytes) {
  __m512i sums[4] = {};
  for (std::size_t i = 0; i < bytes; i += 256)
    for (int j = 0; j < 4; ++j)
      sums[j] = _mm512_add_epi64(sums[j], _mm512_load_si512(data + i + 64 * j));
  return _mm512_reduce_add_epi64(
      _mm512_add_epi64(_mm512_add_epi64(sums[0], sums[1]), _mm512_add_epi64(sums[2], sums[3])));
}

#define ADD_BFLOATS(i) "vdpbf16ps %12, %12, %" #i "\n"
#define ADD_BYTES(i) "vpdpbusd %12, %12, %" #i "\n"

float multiply_avx512(Product product, long steps) {
  __m512 sums[kProductsOfStep] = {};
  const __m512 one = _mm512_castsi512_ps(_mm512_set1_epi32(0x3f803f80));
  if (product == Product::kFloat32) PRISMVID_RUN_STEPS(steps, sums, "v", PRISMVID_ADD_FLOATS, one);
  if (product == Product::kBfloat16) PRISMVID_RUN_STEPS(steps, sums, "v", ADD_BFLOATS, one);
  if (product == Product::kInt8) PRISMVID_RUN_STEPS(steps, sums, "v", ADD_BYTES, one);
  return sums[0][0];
}

}  // namespace prismvid::bench
