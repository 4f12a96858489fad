// Quantised rows as plain numbers, written once for all instruction sets.
#pragma once

#include "nn/kernels/simd/some_numbers.h"

namespace prismvid::nn::kernels {

/// Sixteen numbers of `kBits` from `words` on as they count.
template <class V, int kBits>
void unpack_sixteen(const std::uint32_t* words, std::int32_t* out) {
  constexpr int kInWord = 32 / kBits;
  for (int i = 0; i < 16; ++i)
    out[i] = static_cast<std::int32_t>(words[i / kInWord] >> (i % kInWord * kBits) &
                                       ((1u << kBits) - 1));
}

template <class V, int kBits>
void expand_row(const ExpandArguments& a, int row, char* out) {
  const QuantizedRows& in = a.rows;
  const std::uint32_t* words = in.words + row * in.word_stride;
  alignas(64) std::int32_t numbers[16];
  for (int group = 0; group * in.group_size < a.columns; ++group) {
    const std::size_t at = row * in.scale_stride + group;
    const auto scale = V::broadcast(load_number(in.scales, in.type, at));
    const auto bias = V::broadcast(load_number(in.biases, in.type, at));
    for (int i = 0; i < in.group_size;
         i += 16, words += kBits / 2, out += 16 * byte_size(a.output_type)) {
      unpack_sixteen<V, kBits>(words, numbers);
      const auto x = V::to_floats(V::load_bytes(numbers));
      V::store_numbers(out, a.output_type, V::multiply_add(x, scale, bias));
    }
  }
}

template <class V>
void expand(const ExpandArguments& a) {
  const std::size_t row_bytes = a.output_stride * byte_size(a.output_type);
  char* out = static_cast<char*>(a.output);
  for (int i = 0; i < a.count; ++i, out += row_bytes)
    a.rows.bits == 4 ? expand_row<V, 4>(a, a.first + i, out)
                     : expand_row<V, 8>(a, a.first + i, out);
}

}  // namespace prismvid::nn::kernels
