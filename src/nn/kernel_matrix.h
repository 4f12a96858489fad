#pragma once

#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "nn/kernel_runtime.h"
#include "nn/kernels/dense_linear.h"
#include "nn/kernels/packed_matrix.h"
#include "nn/mlx.h"

namespace prismvid::nn {

struct Matrix;

/// A matrix with an optional bias in the order in which the CPU kernels read it. Immutable.
class KernelMatrix {
 public:
  /// A rearranged copy of `matrix` (..., out, in), whose leading axes become one. Null for what the
  /// kernels do not have: quantisation other than affine, and plain matrices whose rows are no
  /// multiple of 16 numbers.
  static std::shared_ptr<const KernelMatrix> pack(const Matrix& matrix,
                                                  const std::optional<mx::array>& bias,
                                                  std::shared_ptr<const KernelRuntime> runtime);

  int rows() const;
  int columns() const;
  size_t bytes() const;
  const KernelRuntime& runtime() const { return *runtime_; }

  /// output (tokens, rows) = input (tokens, columns) times the matrix transposed, plus the bias.
  /// `addend` (tokens, rows) is added too; null: nothing is.
  void multiply(const kernels::ConstRows& input, const kernels::Rows& output,
                const kernels::ConstRows* addend = nullptr) const;

  /// Null for a plain matrix.
  const kernels::PackedMatrix* quantized() const {
    return std::get_if<kernels::PackedMatrix>(&weights_);
  }

  /// output[i] = row ids[i].
  void look_up(std::span<const int32_t> ids, const kernels::Rows& output) const;

 private:
  using Weights = std::variant<kernels::PackedMatrix, kernels::DenseMatrix>;
  KernelMatrix(Weights weights, std::shared_ptr<const KernelRuntime> runtime)
      : weights_(std::move(weights)), runtime_(std::move(runtime)) {}

  Weights weights_;
  std::shared_ptr<const KernelRuntime> runtime_;
};

using SharedMatrix = std::shared_ptr<const KernelMatrix>;

/// x (..., in) times the matrix transposed, plus its bias and `addend` (..., out), rounded once to
/// `dtype`, or to that of `addend`, or of x.
mx::array multiply_transposed(const mx::array& x, SharedMatrix matrix,
                              const std::optional<mx::array>& addend = std::nullopt,
                              std::optional<mx::Dtype> dtype = std::nullopt);

/// The same at once, on the calling thread: `x` is evaluated and row-contiguous.
mx::array multiply_at_once(const mx::array& x, const KernelMatrix& matrix, mx::Dtype dtype);

/// output (tokens, rows of all) = input (tokens, columns) times each matrix transposed, side by
/// side: where all are quantised, in one go.
void multiply_together(std::span<const SharedMatrix> matrices, const kernels::ConstRows& input,
                       const kernels::Rows& output);

/// output (tokens, rows) = silu(input gate^T) * (input up^T).
void multiply_gated(const KernelMatrix& gate, const KernelMatrix& up,
                    const kernels::ConstRows& input, const kernels::Rows& output);

/// x (..., in) times several matrices, side by side in one array (..., sum of outs).
mx::array multiply_together(const mx::array& x, std::vector<SharedMatrix> matrices);

/// silu(x gate^T) * (x up^T) in the dtype of x.
mx::array multiply_gated(const mx::array& x, SharedMatrix gate, SharedMatrix up);

/// (tokens) int32 -> (tokens, in), float32
mx::array look_up(const mx::array& ids, std::shared_ptr<const KernelMatrix> table);

}  // namespace prismvid::nn
