#pragma once

#include "nn/mlx.h"

// Arrays of MLX as the kernels see them.
namespace prismvid::cuda {

/// Where an evaluated array lies on the device.
const void* device_data(const mx::array& array);

/// A new array with a copy of the host's `data`, in the device's own memory: what MLX makes of host
/// data is shared memory, whose pages move only when they are touched.
mx::array device_array(const void* data, const mx::Shape& shape, mx::Dtype dtype);

}  // namespace prismvid::cuda
