// Norms, rotary positions and activations, written once for all instruction sets.
#pragma once

#include "nn/kernels/simd/some_numbers.h"

namespace prismvid::nn::kernels {

/// Sum of f(16 numbers from k, how many of them count) over a row.
template <class V, class F>
float sum_over(int columns, F f) {
  auto sum = V::zero();
  for (int k = 0; k < columns; k += 16) sum = V::add(sum, f(k, columns - k));
  return V::sum(sum);
}

static float inverse_root(float x) {
  return 1 / __builtin_sqrtf(x);
}

template <class V>
void normalize(const NormalizeArguments& a) {
  const auto x = [&](int k, int count) {
    return load_some<V>(number_at(a.input, a.input_type, k), a.input_type, count);
  };
  const float inverse = 1.0f / a.columns;
  const float mean = a.bias ? sum_over<V>(a.columns, x) * inverse : 0.0f;
  // Numbers behind the end are zeros: what they add is taken off again.
  const int behind = rounded_up(a.columns, 16) - a.columns;
  const float squares = sum_over<V>(a.columns, [&](int k, int count) {
    const auto from_mean = V::subtract(x(k, count), V::broadcast(mean));
    return V::multiply(from_mean, from_mean);
  });
  const float scale = inverse_root((squares - behind * mean * mean) * inverse + a.epsilon);
  for (int k = 0; k < a.columns; k += 16) {
    const int count = a.columns - k;
    const auto parameter = [&](const void* data) {
      return load_some<V>(number_at(data, a.weight_type, k), a.weight_type, count);
    };
    const auto whole =
        V::multiply(V::subtract(x(k, count), V::broadcast(mean)), V::broadcast(scale));
    const auto bias = a.bias ? parameter(a.bias) : V::zero();
    store_some<V>(static_cast<char*>(a.output) + k * byte_size(a.output_type), a.output_type, count,
                  V::multiply_add(whole, parameter(a.weight), bias));
  }
}

template <class V>
void rotate_head(const RotateArguments& a, const char* in, char* out) {
  const int half = a.head_dim / 2;
  alignas(64) float x[kMaxHeadDim + 16], turned[kMaxHeadDim + 16];
  float scale = 1;
  const auto load = [&](int d) {
    return load_some<V>(in + d * byte_size(a.type), a.type, a.head_dim - d);
  };
  if (a.weight) {
    const float squares = sum_over<V>(a.head_dim, [&](int d, int) {
      const auto v = load(d);
      return V::multiply(v, v);
    });
    scale = inverse_root(squares / a.head_dim + a.epsilon);
  }
  for (int d = 0; d < a.head_dim; d += 16) {
    auto v = load(d);
    if (a.weight)
      v = V::multiply(
          V::multiply(v, V::broadcast(scale)),
          load_some<V>(number_at(a.weight, a.weight_type, d), a.weight_type, a.head_dim - d));
    V::store(x + d, v);
  }
  const auto turn = [&](int d, const float* p, int count) {
    return load_some<V>(p + d, NumberType::kFloat32, count - d);
  };
  // The first half's last vector reaches into the second, which is written after it.
  for (int d = 0; d < half; d += 16)
    V::store(turned + d, V::subtract(V::multiply(V::load(x + d), turn(d, a.cos, half)),
                                     V::multiply(V::load(x + half + d), turn(d, a.sin, half))));
  for (int d = 0; d < half; d += 16)
    V::store(turned + half + d, V::multiply_add(V::load(x + half + d), turn(d, a.cos, half),
                                                V::multiply(V::load(x + d), turn(d, a.sin, half))));
  for (int d = 0; d < a.head_dim; d += 16)
    store_some<V>(out + d * byte_size(a.type), a.type, a.head_dim - d, V::load(turned + d));
}

template <class V>
void rotate(const RotateArguments& a) {
  for (int head = 0; head < a.heads; ++head)
    rotate_head<V>(a, number_at(a.input, a.type, std::size_t(head) * a.head_dim),
                   static_cast<char*>(a.output) + head * a.output_head_stride * byte_size(a.type));
}

/// 1 / (1 + exp(-x))
template <class V>
typename V::Floats sigmoid(typename V::Floats x) {
  const auto one = V::broadcast(1.0f);
  return V::divide(one, V::add(one, V::exp2(V::multiply(x, V::broadcast(-kLog2E)))));
}

struct SwiGlu {
  static constexpr bool kHasUp = true;
  template <class V, class Floats>
  static Floats apply(Floats x, Floats up) {
    return V::multiply(V::multiply(x, sigmoid<V>(x)), up);
  }
};

/// x / 2 (1 + tanh(y)) = x sigmoid(2 y), with y = sqrt(2 / pi) (x + 0.044715 x^3)
struct GeluTanh {
  static constexpr bool kHasUp = false;
  template <class V, class Floats>
  static Floats apply(Floats x, Floats) {
    constexpr float kTwice = 2 * 0.7978845608f;
    const auto inner =
        V::multiply_add(V::multiply(x, x), V::broadcast(0.044715f * kTwice), V::broadcast(kTwice));
    return V::multiply(x, sigmoid<V>(V::multiply(x, inner)));
  }
};

/// x Phi(x); erf by Abramowitz and Stegun 7.1.26, to 1.5e-7.
struct Gelu {
  static constexpr bool kHasUp = false;
  template <class V, class Floats>
  static Floats apply(Floats x, Floats) {
    const auto size = V::maximum(V::subtract(V::zero(), x), x);
    const auto z = V::multiply(size, V::broadcast(0.70710678f));
    const auto one = V::broadcast(1.0f);
    const auto t = V::divide(one, V::multiply_add(z, V::broadcast(0.3275911f), one));
    auto sum = V::broadcast(1.061405429f);
    for (float c : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f})
      sum = V::multiply_add(sum, t, V::broadcast(c));
    const auto falls = V::exp2(V::multiply(V::multiply(z, z), V::broadcast(-kLog2E)));
    // x Phi(x) = max(x, 0) - |x| / 2 (1 - erf |z|)
    const auto tail = V::multiply(V::multiply(sum, t), V::multiply(falls, size));
    return V::multiply_add(tail, V::broadcast(-0.5f), V::maximum(V::zero(), x));
  }
};

template <class V, class Function>
void activate(const ActivateArguments& a) {
  for (int i = 0; i < a.count; i += 16) {
    const auto load = [&](const void* data) {
      return load_some<V>(number_at(data, a.type, i), a.type, a.count - i);
    };
    const auto x = load(a.input);
    auto up = x;
    if constexpr (Function::kHasUp) up = load(a.up);
    store_some<V>(static_cast<char*>(a.output) + std::size_t(i) * byte_size(a.type), a.type,
                  a.count - i, Function::template apply<V>(x, up));
  }
}

}  // namespace prismvid::nn::kernels
