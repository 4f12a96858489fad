#pragma once

#include <optional>

#include "nn/mlx.h"
#include "nn/quantization.h"

namespace prismvid::nn {

/// A matrix, plain or packed by MLX's quantize().
struct Matrix {
  mx::array weight;                 // (..., out, in), or packed uint32 words
  std::optional<mx::array> scales;  // present: quantised
  std::optional<mx::array> biases;  // of affine groups
  Quantization quantization;

  bool is_quantized() const { return scales.has_value(); }
};

/// x (..., in) times the transposed matrix (out, in): the plain MLX form of every linear layer.
mx::array multiply_transposed(const mx::array& x, const Matrix& matrix);

/// y = x W^T + b.
class Linear {
 public:
  Linear(Matrix matrix, std::optional<mx::array> bias)
      : matrix_(std::move(matrix)), bias_(std::move(bias)) {}

  mx::array operator()(const mx::array& x) const;

  const Matrix& matrix() const { return matrix_; }
  const std::optional<mx::array>& bias() const { return bias_; }

 private:
  Matrix matrix_;
  std::optional<mx::array> bias_;
};

}  // namespace prismvid::nn
