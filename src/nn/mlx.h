#pragma once

#include <mlx/mlx.h>

namespace prismvid {

namespace mx = mlx::core;

namespace nn {

/// A scalar of the dtype of `x`. A plain C++ float would promote bfloat16 to float32.
inline mx::array scalar_like(const mx::array& x, float value) {
  return mx::array(value, x.dtype());
}

}  // namespace nn
}  // namespace prismvid
