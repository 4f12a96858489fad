#pragma once
#include <cstdint>

namespace prismvid::cuda {

// In the order of the numbers, above 0; both zeros are equal, NaN is 0.
__device__ __forceinline__ uint32_t ordered_bits(float value) {
  const uint32_t bits = __float_as_uint(value + 0.0f);  // -0 + 0 is 0
  return isnan(value) ? 0 : bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
}
__device__ __forceinline__ float number_of(uint32_t ordered) {
  return __uint_as_float(ordered ^ (ordered >> 31 ? 0x80000000u : 0xffffffffu));
}

}  // namespace prismvid::cuda
