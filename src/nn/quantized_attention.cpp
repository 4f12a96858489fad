#include "nn/quantized_attention.h"

#include <cmath>

#include "nn/attention.h"
#include "nn/kernel_primitive.h"

namespace prismvid::nn {
namespace {

mx::array expanded(const QuantizedHeads& heads) {
  return mx::dequantize(heads.words, heads.scales, heads.biases, heads.group_size, heads.bits);
}

// Of the first and only sequence.
kernels::ConstQuantizedHeads view(const mx::array& words, const mx::array& scales,
                                  const mx::array& biases, int group_size, int bits) {
  const auto stride = [](const mx::array& x, int axis) {
    return static_cast<size_t>(x.strides(axis));
  };
  return {
      {words.data<uint32_t>(), scales.data<void>(), biases.data<void>(),
       number_type(scales.dtype()).value(), bits, group_size, stride(words, 2), stride(scales, 2)},
      words.shape(1),
      words.shape(2),
      words.shape(3) * 32 / bits,
      stride(words, 1),
      stride(scales, 1)};
}

bool has_kernel(const mx::array& queries, const QuantizedHeads& keys,
                const QuantizedHeads& values) {
  return queries.shape(0) == 1 && number_type(queries.dtype()) &&
         number_type(keys.scales.dtype()) && number_type(values.scales.dtype()) &&
         queries.shape(3) <= kernels::kMaxHeadDim;
}

}  // namespace

mx::array quantized_attention(const mx::array& queries, const QuantizedHeads& keys,
                              const QuantizedHeads& values, const SharedKernels& kernels) {
  if (!kernels || !has_kernel(queries, keys, values))
    return attention(queries, expanded(keys), expanded(values), Mask::kCausal, kernels);
  const int heads = queries.shape(1), tokens = queries.shape(2), head_dim = queries.shape(3);
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  return strided_kernel_array(
      "QuantizedAttention", {1, tokens, heads * head_dim}, queries.dtype(),
      {queries, keys.words, keys.scales, keys.biases, values.words, values.scales, values.biases},
      [=, key_group = keys.group_size, key_bits = keys.bits, value_group = values.group_size,
       value_bits = values.bits](const std::vector<mx::array>& in, mx::array& output) {
        const kernels::ConstHeads q = heads_of(in[0], 0);
        kernels::quantized_attention(
            kernels->context(),
            {q, view(in[1], in[2], in[3], key_group, key_bits),
             view(in[4], in[5], in[6], value_group, value_bits), scale, true},
            {output.data<char>(), q.type, heads, tokens, head_dim, static_cast<size_t>(head_dim),
             static_cast<size_t>(heads) * head_dim});
      });
}

}  // namespace prismvid::nn
