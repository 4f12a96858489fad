#pragma once

#include "nn/kernel_runtime.h"
#include "nn/mlx.h"
#include "nn/norm.h"

namespace prismvid::nn {

/// Cosines and sines of rotary position embedding (arXiv:2104.09864), float32, (tokens, head_dim):
/// each angle stands twice, for the first and the second half of a head.
struct Rotation {
  mx::array cos;
  mx::array sin;
};

/// From the angles (tokens, head_dim / 2); `length` multiplies what is turned.
Rotation rotation_of(const mx::array& angles, float length = 1);

/// Rotates x (1, heads, tokens, head_dim) at the positions offset, offset + 1 ... by MLX's fused
/// form. `periods` holds 1 / frequency of each pair of channels (head_dim / 2); `length` as above.
mx::array rotate_consecutive(const mx::array& x, const mx::array& periods, int offset,
                             float length = 1);

/// x cos + [-x2, x1] sin in float32, back in the dtype of x (..., tokens, head_dim).
mx::array rotate(const mx::array& x, const Rotation& rotation);

/// x (batch, tokens, heads * head_dim), each head behind `norm` where it is given, then rotated:
/// (batch, heads, tokens, head_dim), on the CPU kernels.
mx::array rotated_heads(const mx::array& x, int heads, const RmsNorm* norm,
                        const Rotation& rotation, const SharedKernels& kernels);

}  // namespace prismvid::nn
