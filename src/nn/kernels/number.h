#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace prismvid::nn::kernels {

/// Number formats of activations, scales and results in memory.
enum class NumberType { kFloat32, kBfloat16, kFloat16 };

constexpr std::size_t byte_size(NumberType type) {
  return type == NumberType::kFloat32 ? 4 : 2;
}

/// Reads element `index` of an array of `type`.
float load_number(const void* data, NumberType type, std::size_t index);

/// Writes element `index`, rounding to nearest even.
void store_number(void* data, NumberType type, std::size_t index, float value);

}  // namespace prismvid::nn::kernels
