#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "nn/kernel_matrix.h"
#include "nn/mlx.h"
#include "nn/quantization.h"

namespace prismvid::nn {

/// A matrix, plain or packed by MLX's quantize().
struct Matrix {
  mx::array weight;                 // (..., out, in), or packed uint32 words
  std::optional<mx::array> scales;  // present: quantised
  std::optional<mx::array> biases;  // of affine groups
  Quantization quantization;
  std::optional<mx::Dtype> dtype = {};  // unpacked, where the scales do not tell

  bool is_quantized() const { return scales.has_value(); }
};

/// x (..., in) times the transposed matrix (out, in): the plain MLX form of every linear layer.
mx::array multiply_transposed(const mx::array& x, const Matrix& matrix);

/// y = x W^T + b, by MLX or by the CPU kernels.
class Linear {
 public:
  Linear(Matrix matrix, std::optional<mx::array> bias)
      : weights_(Plain{std::move(matrix), std::move(bias)}) {}
  explicit Linear(std::shared_ptr<const KernelMatrix> matrix) : weights_(std::move(matrix)) {}

  mx::array operator()(const mx::array& x) const;

  /// y + other, of the shape of y: on the CPU kernels rounded once, to the dtype of other.
  mx::array plus(const mx::array& x, const mx::array& other) const;

  /// y in float32.
  mx::array in_float32(const mx::array& x) const;

  /// Null where MLX multiplies.
  SharedMatrix kernel_matrix() const;

  /// Null where the CPU kernels multiply, or with a bias.
  const Matrix* plain_matrix() const;

 private:
  struct Plain {
    Matrix matrix;
    std::optional<mx::array> bias;
  };
  std::variant<Plain, std::shared_ptr<const KernelMatrix>> weights_;
};

/// Each layer's product with x: for few tokens, where waking threads shows, all in one go.
std::vector<mx::array> multiply_each(const mx::array& x,
                                     std::initializer_list<const Linear*> layers);

}  // namespace prismvid::nn
