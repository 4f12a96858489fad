#pragma once

namespace prismvid::nn::kernels {

/// 2^x for x in [-0.5, 0.5]: the Taylor series to x^6, whose error is 1.2e-7.
template <class V, class Floats>
Floats exp2_fraction(Floats x) {
  Floats sum = V::broadcast(1.540353e-4f);
  for (float coefficient :
       {1.333356e-3f, 9.618129e-3f, 5.550411e-2f, 2.402265e-1f, 6.931472e-1f, 1.0f})
    sum = V::multiply_add(sum, x, V::broadcast(coefficient));
  return sum;
}

}  // namespace prismvid::nn::kernels
