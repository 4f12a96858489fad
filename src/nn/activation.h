#pragma once

#include "nn/kernel_runtime.h"
#include "nn/mlx.h"

namespace prismvid::nn {

/// x Phi(x), with the error function (arXiv:1606.08415).
mx::array gelu(const mx::array& x, const SharedKernels& kernels = nullptr);

/// Its approximation by tanh, which Qwen3-VL's vision blocks use.
mx::array gelu_tanh(const mx::array& x, const SharedKernels& kernels = nullptr);

}  // namespace prismvid::nn
