// Products whose first sums are of 16 bits: all steps of a group stand one behind the other, so
// that sums stay in registers and no instruction is spent on counting.
#pragma once

#include "nn/kernels/simd/each.h"
#include "nn/kernels/simd/panel.h"
#include "nn/kernels/simd/prepare.h"

namespace prismvid::nn::kernels {

template <class Dot, int kBits>
constexpr bool kUnrolls = Dot::template kPartialSteps<kBits> != 0;

/// kSteps steps of T tokens, no more than 16-bit sums hold; `weight(step)` loads one. `x` moves
/// behind them: addresses that are computed from its start would fill the registers.
template <class Dot, int kBits, int T, int kSteps, class Weight>
[[gnu::always_inline]] inline void partial_dots(Weight weight, const std::uint8_t*& x,
                                                std::size_t x_stride, typename Dot::Sum* partial) {
  each<kSteps>([&]<int s>() __attribute__((always_inline)) {
    const auto w = weight(s);
    each<T>([&]<int t>() __attribute__((always_inline)) {
      if constexpr (s == 0)
        partial[t] = Dot::template product<kBits>(w, x + 4 * t);
      else
        partial[t] = Dot::template dot<kBits>(partial[t], w, x + 4 * t);
    });
    x += x_stride;
  });
}

/// kSteps steps of T tokens as 32-bit sums, by as few 16-bit ones as hold them.
template <class Dot, int kBits, int T, int kSteps, class Weight>
[[gnu::always_inline]] inline void whole_dots(Weight weight, const std::uint8_t*& x,
                                              std::size_t x_stride, typename Dot::Sum* dots) {
  using V = typename Dot::Vector;
  constexpr int kMost = Dot::template kPartialSteps<kBits>,
                kTogether = kMost < kSteps ? kMost : kSteps;
  each<kSteps / kTogether>([&]<int i>() __attribute__((always_inline)) {
    typename Dot::Sum partial[T];
    partial_dots<Dot, kBits, T, kTogether>([&](int s) { return weight(i * kTogether + s); }, x,
                                           x_stride, partial);
    each<T>([&]<int t>() __attribute__((always_inline)) {
      const auto widened = V::template widened<kBits>(partial[t]);
      dots[t] = i == 0 ? widened : V::add_integers(dots[t], widened);
    });
  });
}

/// The same, added to `sums`.
template <class Dot, int kBits, int T, int kSteps, class Weight>
[[gnu::always_inline]] inline void add_whole_dots(Weight weight, const std::uint8_t*& x,
                                                  std::size_t x_stride, typename Dot::Sum* sums) {
  typename Dot::Sum dots[T];
  whole_dots<Dot, kBits, T, kSteps>(weight, x, x_stride, dots);
  each<T>([&]<int t>() __attribute__((always_inline)) {
    sums[t] = Dot::Vector::add_integers(sums[t], dots[t]);
  });
}

/// What a group's weights and T tokens give; groups of 32 steps are too long to stand in a row.
template <class Dot, int kBits, int T, int kSteps>
[[gnu::always_inline]] inline void group_dots(const std::uint8_t* weights, const std::uint8_t*& x,
                                              std::size_t x_stride, typename Dot::Sum* dots) {
  using V = typename Dot::Vector;
  constexpr int kTogether = kSteps < 32 ? kSteps : 8;
  const auto weight = [&](int s) { return V::load_bytes(weights + 64 * s); };
  whole_dots<Dot, kBits, T, kTogether>(weight, x, x_stride, dots);
  for (int s = kTogether; s < kSteps; s += kTogether) {
    weights += 64 * kTogether;
    add_whole_dots<Dot, kBits, T, kTogether>(weight, x, x_stride, dots);
  }
}

/// out (tokens, 16) += a panel times T rows, whose groups have kSteps steps.
template <class Dot, int kBits, int T, int kSteps>
void multiply_unrolled_panel(const Panel<Dot>& panel, int groups, TileView x, float* out) {
  using V = typename Dot::Vector;
  const std::uint8_t* weights = panel.values;
  for (int g = 0; g < groups; ++g, x.scales += x.width, x.sums += x.width) {
    typename Dot::Sum dots[T];
    group_dots<Dot, kBits, T, kSteps>(weights, x.values, 4 * x.width, dots);
    weights += 64 * kSteps;
    const auto scale = V::load(panel.scales + 16 * g), bias = V::load(panel.biases + 16 * g);
    each<T>([&]<int t>() __attribute__((always_inline)) {
      float* sum = out + 16 * (t / kRowsOfToken<Dot>);
      const auto with_bias = V::multiply_add(bias, V::broadcast(x.sums[t]), V::load(sum));
      const auto both = V::multiply(scale, V::broadcast(x.scales[t]));
      V::store(sum, V::multiply_add(Dot::to_floats(dots[t]), both, with_bias));
    });
    asm volatile("" ::: "memory");  // else g++ keeps a copy of `out` from group to group
  }
}

/// The same for groups of 8, 16 or 32 steps.
template <class Dot, int kBits, int T>
void multiply_unrolled_panel(const Panel<Dot>& panel, int groups, int steps, TileView x,
                             float* out) {
  if (steps == 8) return multiply_unrolled_panel<Dot, kBits, T, 8>(panel, groups, x, out);
  if (steps == 16) return multiply_unrolled_panel<Dot, kBits, T, 16>(panel, groups, x, out);
  multiply_unrolled_panel<Dot, kBits, T, 32>(panel, groups, x, out);
}

}  // namespace prismvid::nn::kernels
