#pragma once

#include "nn/kernel_runtime.h"
#include "nn/mlx.h"

namespace prismvid::nn {

enum class Mask { kNone, kCausal };  // causal: the last query sees all keys

/// softmax(q k^T / sqrt(head_dim)) v with queries (batch, heads, tokens, head_dim) and keys and
/// values (batch, kv_heads, keys, head_dim), heads a multiple of kv_heads. Returns (batch, tokens,
/// heads * head_dim).
mx::array attention(const mx::array& queries, const mx::array& keys, const mx::array& values,
                    Mask mask, const SharedKernels& kernels = nullptr);

/// (batch, tokens, heads * head_dim) -> (batch, heads, tokens, head_dim)
mx::array split_heads(const mx::array& x, int heads);

}  // namespace prismvid::nn
