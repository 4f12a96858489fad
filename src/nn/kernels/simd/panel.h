#pragma once

#include "nn/kernels/simd/byte_dot.h"

namespace prismvid::nn::kernels {

/// 32 columns of 16 rows as 8 vectors of bytes, from `kBits` vectors of packed ones.
template <class V, int kBits>
struct Unit {
  typename V::Bytes vectors[8];

  explicit Unit(const std::uint8_t* p) {
    if constexpr (kBits == 8)
      for (int i = 0; i < 8; ++i) vectors[i] = V::load_bytes(p + 64 * i);
    if constexpr ((kBits & 4) != 0)
      for (int i = 0; i < 4; ++i) {
        const auto v = V::load_bytes(p + 64 * i);
        vectors[2 * i] = V::mask(v, 15);
        vectors[2 * i + 1] = V::mask(V::template shift_right<4>(v), 15);
      }
    if constexpr (kBits == 3) {
      unpack_three(p);
    } else {
      if constexpr ((kBits & 2) != 0) add_pairs(p + 64 * (kBits & 4));
      if constexpr ((kBits & 1) != 0) add_bits(V::load_bytes(p + 64 * (kBits - 1)));
    }
  }

 private:
  /// Puts field `kField` of `v`, `kWidth` bits wide, above the bits that are there.
  template <int kWidth, int kField>
  void add_field(typename V::Bytes v, typename V::Bytes& to) {
    constexpr int kLow = kBits & ~(2 * kWidth - 1), kMask = ((1 << kWidth) - 1) << kLow;
    const auto moved = V::template shift_right<kWidth * kField - kLow>(v);
    if constexpr (kLow == 0)
      to = V::mask(moved, kMask);
    else
      to = V::merge(to, moved, kMask);
  }
  void add_pairs(const std::uint8_t* p) {
    for (int i = 0; i < 2; ++i) {
      const auto v = V::load_bytes(p + 64 * i);
      add_field<2, 0>(v, vectors[4 * i]);
      add_field<2, 1>(v, vectors[4 * i + 1]);
      add_field<2, 2>(v, vectors[4 * i + 2]);
      add_field<2, 3>(v, vectors[4 * i + 3]);
    }
  }
  void unpack_three(const std::uint8_t* p) {
    const auto a = V::load_bytes(p), b = V::load_bytes(p + 64), c = V::load_bytes(p + 128);
    vectors[0] = V::mask(a, 7);
    vectors[1] = V::mask(b, 7);
    vectors[2] = V::mask(c, 7);
    vectors[3] = V::mask(V::template shift_right<3>(a), 7);
    vectors[4] = V::mask(V::template shift_right<3>(b), 7);
    vectors[5] = V::mask(V::template shift_right<3>(c), 7);
    vectors[6] =
        V::merge(V::mask(V::template shift_right<5>(a), 6), V::template shift_right<7>(c), 1);
    vectors[7] =
        V::merge(V::mask(V::template shift_right<5>(b), 6), V::template shift_right<6>(c), 1);
  }
  void add_bits(typename V::Bytes v) {
    add_field<1, 0>(v, vectors[0]);
    add_field<1, 1>(v, vectors[1]);
    add_field<1, 2>(v, vectors[2]);
    add_field<1, 3>(v, vectors[3]);
    add_field<1, 4>(v, vectors[4]);
    add_field<1, 5>(v, vectors[5]);
    add_field<1, 6>(v, vectors[6]);
    add_field<1, 7>(v, vectors[7]);
  }
};

/// The biases of the group at p, with what the offset of its weights took off.
template <class Dot, int kBits>
typename Dot::Vector::Floats load_biases(const PackedBlocks& m, const std::uint8_t* p,
                                         typename Dot::Vector::Floats scale) {
  using V = typename Dot::Vector;
  constexpr int kOffset = Dot::template kOffset<kBits>;
  p += 16 * byte_size(m.scale_type);
  const auto bias = m.has_bias_codes ? V::coded_biases(p, scale) : V::load_numbers(p, m.scale_type);
  if constexpr (kOffset == 0)
    return bias;
  else
    return V::multiply_add(scale, V::broadcast(kOffset), bias);
}

/// Some groups of a block, unpacked once for all tokens.
template <class Dot>
struct Panel {
  // Tiles stay in registers through all columns, so that panels need not fit into the first cache.
  static constexpr int kColumns = TiledDot<Dot> ? 2048 : 128 * Dot::kColumnsPerStep;
  static constexpr int kMaxGroups = kColumns / 32;
  static constexpr int kAhead = 640;  // bytes, from the second cache into the first
  alignas(64) std::uint8_t values[kColumns / Dot::kColumnsPerStep * 64];
  alignas(64) float scales[kMaxGroups * 16];
  alignas(64) float biases[kMaxGroups * 16];
  alignas(64) std::int32_t starts[MultipliesSums<Dot> ? kMaxGroups * 16 : 1];

  template <int kBits>
  void unpack(const PackedBlocks& m, const std::uint8_t* p, int groups) {
    using V = typename Dot::Vector;
    constexpr int kSteps = 4 / Dot::kColumnsPerStep;
    std::uint8_t* to = values;
    for (int g = 0; g < groups; ++g) {
      const auto scale = V::load_numbers(p, m.scale_type);
      V::store(scales + 16 * g, scale);
      const auto bias = load_biases<Dot, kBits>(m, p, scale);
      V::store(biases + 16 * g, bias);
      p += m.scale_bytes;
      [[maybe_unused]] auto products = V::zero_bytes();
      for (int k = 0; k < m.group_size; k += 32, p += 64 * kBits) {
        for (int i = 0; i < kBits; ++i) __builtin_prefetch(p + kAhead + 64 * i);
        const Unit<V, kBits> unit(p);
        if constexpr (MatrixDot<Dot>)
          for (int i = 0; i < 8; i += 2, to += 128)
            Dot::template store_pair<kBits>(to, unit.vectors[i], unit.vectors[i + 1]);
        else if constexpr (MultipliesSums<Dot>)
          for (int i = 0; i < 8; i += 2, to += 128)
            products = Dot::template store_steps<kBits>(to, unit.vectors[i], unit.vectors[i + 1],
                                                        products);
        else if constexpr (TiledDot<Dot>)
          for (const typename Dot::Scaling scaling(scale, bias); const auto& bytes : unit.vectors)
            scaling.store(to, bytes), to += 64 * kSteps;
        else
          for (int i = 0; i < 8; ++i, to += 64 * kSteps)
            Dot::template store_panel<kBits>(to, unit.vectors[i]);
      }
      if constexpr (MultipliesSums<Dot>)
        V::store_bytes(starts + 16 * g, V::negative_integers(products));
    }
  }
};

}  // namespace prismvid::nn::kernels
