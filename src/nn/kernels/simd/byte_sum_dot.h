// Products of sums of bytes, half as many as products of the bytes themselves.
#pragma once

#include "nn/kernels/simd/byte_dot.h"
#include "nn/kernels/simd/each.h"
#include "nn/kernels/simd/panel.h"
#include "nn/kernels/simd/prepare.h"

namespace prismvid::nn::kernels {

/// x1 w1 + x2 w2 = (x1 + w2) (x2 + w1) - x1 x2 - w1 w2 (Winograd, "A new algorithm for inner
/// product", IEEE Transactions on Computers C-17, 1968): one product and two sums instead of two
/// products, which is less where sums have pipes of their own. The x2 and w2 of four columns stand
/// behind the x1 and w1 of four; what is taken off is added up once for a group of a token, and of
/// a row. Narrow weights lie around zero and activations within kMost, so that x1 + 128 + w2 fits
/// into a byte without sign and x2 + w1 into one with it.
template <class V, int kParts = 1>
struct ByteSumDot : ByteDot<V, kParts> {
  using Base = ByteDot<V, kParts>;
  using Bytes = typename V::Bytes;
  static constexpr bool kMultipliesSums = true;
  static constexpr int kMost = 128 - (1 << (kMostBitsSummed - 1)), kFiner = 2 * kMost;
  template <int kBits>
  static constexpr int kOffset = 1 << (kBits - 1);

  /// `sum` + (x1 + w2) (x2 + w1), x1 being 128 more than it is.
  template <int kBits>
  static Bytes dot(Bytes sum, Bytes x1, Bytes x2, Bytes w1, Bytes w2) {
    return V::template dot_repeated<kBits>(sum, V::add_bytes(x1, w2), V::add_bytes(x2, w1));
  }

  /// Stores the weights of two steps; returns `sum` + w1 (128 + w2).
  template <int kBits>
  static Bytes store_steps(std::uint8_t* panel, Bytes first, Bytes second, Bytes sum) {
    const Bytes offset = V::repeat_byte(-kOffset<kBits>);
    const Bytes w1 = V::add_bytes(first, offset), w2 = V::add_bytes(second, offset);
    V::store_bytes(panel, w1);
    V::store_bytes(panel + 64, w2);
    return V::template dot_repeated<kBits>(sum, V::without_sign(w2), w1);
  }

  /// Stores 16 whole numbers as bytes, x1 as 128 more.
  static typename V::Floats store_activations(std::uint8_t* out, std::size_t stride,
                                              typename V::Floats x) {
    return Base::template store_activations<0x80808080u>(out, stride, x);
  }
};

/// out[b] (tokens, 16) += panel b times T rows. Scales stay in registers, for loads are as scarce
/// as multiplications here.
template <class Dot, int kBits, int T, int B>
void multiply_sum_panels(const Panel<Dot>* panels, int groups, int steps, TileView x,
                         float* const* out) {
  using V = typename Dot::Vector;
  const std::size_t stride = 4 * x.width;
  const std::uint8_t* weights = panels[0].values;
  float* const first_out = out[0];
  const std::ptrdiff_t next_out = out[B - 1] - out[0];
  for (int g = 0; g < groups; ++g, x.scales += x.width, x.sums += x.width, x.starts += x.width) {
    typename Dot::Sum start[B], dots[B][T];
    each<B>([&]<int b>() {
      start[b] = V::load_once(static_cast<const void*>(panels[b].starts + 16 * g));
    });
    each<T>([&]<int t>() {
      const auto x_start = V::repeat_four(x.starts + t);
      each<B>([&]<int b>() { dots[b][t] = V::add_integers(start[b], x_start); });
    });
    for (int s = 0; s < steps; s += 2, weights += 128, x.values += 2 * stride) {
      typename V::Bytes w1[B], w2[B];
      each<B>([&]<int b>() {
        w1[b] = V::load_bytes(weights + b * sizeof(panels[0]));
        w2[b] = V::load_bytes(weights + b * sizeof(panels[0]) + 64);
      });
      each<T>([&]<int t>() {
        const auto x1 = V::repeat_four(x.values + 4 * t),
                   x2 = V::repeat_four(x.values + stride + 4 * t);
        each<B>([&]<int b>() {
          dots[b][t] = Dot::template dot<kBits>(dots[b][t], x1, x2, w1[b], w2[b]);
        });
      });
    }
    typename V::Floats scale[B], bias[B];
    each<B>([&]<int b>() {
      scale[b] = V::load_once(panels[b].scales + 16 * g);
      bias[b] = V::load_once(panels[b].biases + 16 * g);
    });
    each<T>([&]<int t>() {
      const auto x_scale = V::broadcast(x.scales[t]), x_sum = V::broadcast(x.sums[t]);
      each<B>([&]<int b>() {
        float* const sum = first_out + b * next_out + 16 * (t / kRowsOfToken<Dot>);
        const auto both = V::multiply(scale[b], x_scale);
        const auto scaled = V::multiply_add(Dot::to_floats(dots[b][t]), both, V::load(sum));
        V::store(sum, V::multiply_add(bias[b], x_sum, scaled));
      });
    });
  }
}

}  // namespace prismvid::nn::kernels
