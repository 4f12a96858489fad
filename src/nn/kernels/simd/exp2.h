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

/// 2^x of x from 0 down to 1e-5 of it, 2^-64 from -64 down; a NaN stays.
template <class V, class Floats>
Floats exp2_of_negative(Floats x) {
  const Floats turning = V::broadcast(12582912.0f);  // from which on a number is whole
  x = V::maximum(V::broadcast(-64.0f), x);
  const Floats moved = V::add(x, turning);
  const Floats rest = V::subtract(x, V::subtract(moved, turning));
  Floats sum = V::broadcast(9.5605102e-03f);
  for (float coefficient : {5.5917039e-02f, 2.4024981e-01f, 6.9312197e-01f, 9.9999919e-01f})
    sum = V::multiply_add(sum, rest, V::broadcast(coefficient));
  return V::add_to_exponents(sum, moved);
}

}  // namespace prismvid::nn::kernels
