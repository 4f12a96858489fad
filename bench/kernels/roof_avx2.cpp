#include <immintrin.h>

#include "roof.h"

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

float multiply_avx2(Product product, long steps) {
  __m256 f[10] = {};
  __m256i q[10] = {};
  __m256i x = _mm256_set1_epi32(0x01010101);
  __m256 one = _mm256_set1_ps(1.0f);
  for (int i = 0; i < 10; ++i)
    asm volatile("" : "+x"(f[i]), "+x"(q[i]));  // else ten equal sums are one
  for (long n = 0; n < steps; ++n) {
    for (int i = 0; i < 10; ++i) {
      if (product == Product::kFloat32) f[i] = _mm256_fmadd_ps(one, one, f[i]);
      if (product == Product::kInt8) {
        __m256i pairs;  // volatile: ten equal products would be one
        asm volatile("vpmaddubsw %1, %1, %0" : "=x"(pairs) : "x"(x));
        q[i] = _mm256_add_epi16(q[i], pairs);
      }
    }
    asm volatile("" : "+x"(x), "+x"(one));
  }
  __m256 sum = _mm256_setzero_ps();
  for (int i = 0; i < 10; ++i)
    sum = _mm256_add_ps(sum, _mm256_add_ps(f[i], _mm256_cvtepi32_ps(q[i])));
  return _mm256_cvtss_f32(sum);
}

}  // namespace prismvid::bench
