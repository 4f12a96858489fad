#include <immintrin.h>

#include "roof.h"

namespace prismvid::bench {

std::uint64_t read_avx512(const std::uint8_t* data, std::size_t bytes) {
  __m512i sums[4] = {};
  for (std::size_t i = 0; i < bytes; i += 256)
    for (int j = 0; j < 4; ++j)
      sums[j] = _mm512_add_epi64(sums[j], _mm512_load_si512(data + i + 64 * j));
  return _mm512_reduce_add_epi64(
      _mm512_add_epi64(_mm512_add_epi64(sums[0], sums[1]), _mm512_add_epi64(sums[2], sums[3])));
}

float multiply_avx512(Product product, long steps) {
  __m512 f[10] = {};
  __m512i q[10] = {};
  __m512i x = _mm512_set1_epi32(0x3f803f80), y = x;
  __m512 one = _mm512_set1_ps(1.0f);
  for (int i = 0; i < 10; ++i)
    asm volatile("" : "+v"(f[i]), "+v"(q[i]));  // else ten equal sums are one
  for (long n = 0; n < steps; ++n) {
    for (int i = 0; i < 10; ++i) {
      if (product == Product::kFloat32) f[i] = _mm512_fmadd_ps(one, one, f[i]);
      if (product == Product::kBfloat16) f[i] = _mm512_dpbf16_ps(f[i], (__m512bh)x, (__m512bh)y);
      if (product == Product::kInt8) q[i] = _mm512_dpbusd_epi32(q[i], x, y);
    }
    asm volatile("" : "+v"(x), "+v"(y), "+v"(one));
  }
  float sum = 0;
  for (int i = 0; i < 10; ++i) sum += _mm512_reduce_add_ps(f[i]) + _mm512_reduce_add_epi32(q[i]);
  return sum;
}

}  // namespace prismvid::bench
