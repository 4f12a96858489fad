// Two blocks of 16 rows that share each activation.
#pragma once

#include "nn/kernels/simd/each.h"
#include "nn/kernels/simd/panel.h"
#include "nn/kernels/simd/prepare.h"

namespace prismvid::nn::kernels {

/// Adds `steps` steps of T tokens times two blocks, `next_block` bytes apart, to start(token,
/// block), and hands each token's two sums to finish(token, first, second). An activation is loaded
/// once for both. Sums that were given back would lie in memory on their way (g++ 12).
template <class Dot, int kBits, int T, int kTokenStride = 4, class Start, class Finish>
[[gnu::always_inline]] inline void multiply_pair(int steps, const std::uint8_t* weights,
                                                 std::size_t next_block, const std::uint8_t* x,
                                                 std::size_t x_stride, Start start, Finish finish) {
  using V = typename Dot::Vector;
  typename Dot::Sum first[T], second[T];
  each<T>([&]<int t>() {
    first[t] = start(t, 0);
    second[t] = start(t, 1);
  });
  for (int s = 0; s < steps; ++s, weights += 64, x += x_stride) {
    const auto w = V::load_bytes(weights), v = V::load_bytes(weights + next_block);
    each<T>([&]<int t>() {
      const auto four = V::repeat_four(x + kTokenStride * t);
      first[t] = Dot::template dot_repeated<kBits>(first[t], w, four);
      second[t] = Dot::template dot_repeated<kBits>(second[t], v, four);
    });
  }
  each<T>([&]<int t>() { finish(t, first[t], second[t]); });
}

/// out[b] (tokens, 16) += panel b of two times T rows; a group's sums go from the registers
/// into those of all groups.
template <class Dot, int kBits, int T>
void multiply_panel_pair(const Panel<Dot>* panels, int groups, int steps, TileView x,
                         float* const* out) {
  using V = typename Dot::Vector;
  const std::uint8_t* weights = panels[0].values;
  const std::size_t stride = 4 * x.width;
  float *const first_out = out[0], *const second_out = out[1];
  for (int g = 0; g < groups; ++g, x.scales += x.width, x.sums += x.width) {
    const auto scale = V::load(panels[0].scales + 16 * g),
               next_scale = V::load(panels[1].scales + 16 * g),
               bias = V::load(panels[0].biases + 16 * g),
               next_bias = V::load(panels[1].biases + 16 * g);
    const auto add = [](float* to, auto dots, auto both_scales, auto weight_bias, auto x_sum) {
      const auto with_bias = V::multiply_add(weight_bias, x_sum, V::load(to));
      V::store(to, V::multiply_add(Dot::to_floats(dots), both_scales, with_bias));
    };
    multiply_pair<Dot, kBits, T>(
        steps, weights, sizeof(panels[0]), x.values, stride, [](int, int) { return Dot::zero(); },
        [&](int t, auto dots, auto next_dots) {
          const auto x_scale = V::broadcast(x.scales[t]), x_sum = V::broadcast(x.sums[t]);
          const int at = 16 * (t / kRowsOfToken<Dot>);
          add(first_out + at, dots, V::multiply(scale, x_scale), bias, x_sum);
          add(second_out + at, next_dots, V::multiply(next_scale, x_scale), next_bias, x_sum);
        });
    weights += 64 * steps;
    x.values += stride * steps;
  }
}

}  // namespace prismvid::nn::kernels
