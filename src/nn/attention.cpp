#include "nn/attention.h"

#include <cmath>

#include "nn/kernel_primitive.h"

namespace prismvid::nn {
namespace {

bool has_kernel(const mx::array& queries, const mx::array& keys, const mx::array& values) {
  const int head_dim = queries.shape(3);
  return number_type(queries.dtype()) && keys.dtype() == queries.dtype() &&
         values.dtype() == queries.dtype() && head_dim % 2 == 0 && head_dim <= kernels::kMaxHeadDim;
}

mx::array attention_by_kernel(const mx::array& queries, const mx::array& keys,
                              const mx::array& values, float scale, Mask mask,
                              const SharedKernels& kernels) {
  const int batch = queries.shape(0), heads = queries.shape(1), tokens = queries.shape(2),
            head_dim = queries.shape(3), width = heads * head_dim;
  return strided_kernel_array(
      "Attention", {batch, tokens, width}, queries.dtype(), {queries, keys, values},
      [=](const std::vector<mx::array>& in, mx::array& output) {
        for (int i = 0; i < batch; ++i) {
          const kernels::ConstHeads q = heads_of(in[0], i);
          const bool causal = mask == Mask::kCausal;
          // Text rounds here what it rounds in its products; the vision tower rounds nothing.
          const auto precision = causal ? kernels->precision(q.type) : kernels::Precision::kFull;
          kernels::attention(
              kernels->context(),
              {q, heads_of(in[1], i), heads_of(in[2], i), scale, causal, precision},
              {output.data<char>() + static_cast<size_t>(i) * tokens * width * output.itemsize(),
               q.type, heads, tokens, head_dim, static_cast<size_t>(head_dim),
               static_cast<size_t>(width)});
        }
      });
}

}  // namespace

mx::array attention(const mx::array& queries, const mx::array& keys, const mx::array& values,
                    Mask mask, const SharedKernels& kernels) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(queries.shape(3)));
  if (kernels && has_kernel(queries, keys, values))
    return attention_by_kernel(queries, keys, values, scale, mask, kernels);
  const bool causal = mask == Mask::kCausal && queries.shape(2) > 1;
  const mx::array mixed =
      mx::fast::scaled_dot_product_attention(queries, keys, values, scale, causal ? "causal" : "");
  const mx::array rows = mx::transpose(mixed, {0, 2, 1, 3});  // (batch, tokens, heads, head_dim)
  return mx::reshape(rows, {rows.shape(0), rows.shape(1), rows.shape(2) * rows.shape(3)});
}

mx::array split_heads(const mx::array& x, int heads) {
  const int head_dim = x.shape(2) / heads;
  return mx::transpose(mx::reshape(x, {x.shape(0), x.shape(1), heads, head_dim}), {0, 2, 1, 3});
}

}  // namespace prismvid::nn
