#include "nn/attention.h"

#include <cmath>

namespace prismvid::nn {

mx::array attention(const mx::array& queries, const mx::array& keys, const mx::array& values,
                    Mask mask) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(queries.shape(3)));
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
