#pragma once

#include "nn/kernel_runtime.h"
#include "nn/mlx.h"

namespace prismvid::nn {

/// Vectors (batch, heads, tokens, head_dim) as mx::quantize() gives them.
struct QuantizedHeads {
  mx::array words;
  mx::array scales;
  mx::array biases;
  int group_size;
  int bits;  // 8 or 4
};

/// Causal attention() with keys and values in groups of few bits: on the CPU's kernels they become
/// numbers a few at a time, elsewhere all of this layer's at once.
mx::array quantized_attention(const mx::array& queries, const QuantizedHeads& keys,
                              const QuantizedHeads& values, const SharedKernels& kernels = nullptr);

}  // namespace prismvid::nn
