#pragma once

#include <cstddef>
#include <cstdint>

namespace prismvid::nn::kernels {

/// Products in f32: one column in a step.
template <class V>
struct FloatDot {
  using Vector = V;
  using Sum = typename V::Floats;
  static constexpr int kColumnsPerStep = 1;
  static constexpr bool kRoundsToBytes = false, kPairsBlocks = V::kPairsBlocks;

  template <int kBits>
  static constexpr int kTokensTogether = V::kFloatTokensTogether;
  template <int kBits>
  static constexpr int kBlocksPerTile = 1;
  template <int kBits>
  static constexpr int kPartialSteps = 0;
  template <int kBits>
  static constexpr int kOffset = 0;

  static Sum zero() { return V::zero(); }
  static Sum to_floats(Sum sum) { return sum; }
  template <int kBits>
  static Sum dot(Sum sum, typename V::Bytes weights, const void* x) {
    float value;
    __builtin_memcpy(&value, x, 4);
    return V::multiply_add(V::as_floats(weights), V::broadcast(value), sum);
  }
  template <int kBits>
  static Sum dot_repeated(Sum sum, typename V::Bytes weights, typename V::Bytes x) {
    return V::multiply_add(V::as_floats(weights), V::as_floats(x), sum);
  }
  template <int kBits>
  static void store_panel(std::uint8_t* panel, typename V::Bytes bytes) {
    auto* out = reinterpret_cast<float*>(panel);
    V::store(out, V::template byte_to_floats<0>(bytes));
    V::store(out + 16, V::template byte_to_floats<1>(bytes));
    V::store(out + 32, V::template byte_to_floats<2>(bytes));
    V::store(out + 48, V::template byte_to_floats<3>(bytes));
  }
  static Sum store_activations(std::uint8_t* out, std::size_t stride, Sum x) {
    float lanes[16];
    V::store(lanes, x);
    for (int i = 0; i < 16; ++i) __builtin_memcpy(out + i * stride, &lanes[i], 4);
    return x;
  }
  /// The same side by side.
  static Sum store_row(std::uint8_t* out, Sum x) {
    V::store(reinterpret_cast<float*>(out), x);
    return x;
  }
};

}  // namespace prismvid::nn::kernels
