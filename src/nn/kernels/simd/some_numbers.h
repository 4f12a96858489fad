// Rows whose length is no multiple of a vector's.
#pragma once

#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {

static constexpr float kLog2E = 1.44269504f;

static constexpr int rounded_up(int count, int multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Copies `count` numbers (at most 16) as f32, zeros behind.
template <class V>
typename V::Floats load_some(const void* p, NumberType type, int count) {
  if (count >= 16) return V::load_numbers(p, type);
  alignas(64) char some[64] = {};
  __builtin_memcpy(some, p, count * byte_size(type));
  return V::load_numbers(some, type);
}

template <class V>
void store_some(void* p, NumberType type, int count, typename V::Floats v) {
  if (count >= 16) return V::store_numbers(p, type, v);
  alignas(64) char some[64];
  V::store_numbers(some, type, v);
  __builtin_memcpy(p, some, count * byte_size(type));
}

static const char* number_at(const void* data, NumberType type, std::size_t index) {
  return static_cast<const char*>(data) + index * byte_size(type);
}

}  // namespace prismvid::nn::kernels
