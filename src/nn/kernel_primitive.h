#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "nn/mlx.h"

namespace prismvid::nn {

/// Work of the CPU kernels as a node of MLX's graph. `work` runs on the stream's thread with
/// row-contiguous inputs and an allocated output, and must not throw: check before making the node.
using KernelWork = std::function<void(const std::vector<mx::array>& inputs, mx::array& output)>;

/// A new array of `shape` and `dtype` that `work` fills from `inputs`.
mx::array kernel_array(const char* name, mx::Shape shape, mx::Dtype dtype,
                       std::vector<mx::array> inputs, KernelWork work);

/// The same where `work` minds its inputs' strides.
mx::array strided_kernel_array(const char* name, mx::Shape shape, mx::Dtype dtype,
                               std::vector<mx::array> inputs, KernelWork work);

}  // namespace prismvid::nn
