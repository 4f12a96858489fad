#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nn/embedding.h"
#include "nn/experts.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/quantization.h"

namespace prismvid::nn {

/// The tensors of a checkpoint by canonical name, taken one by one by the layers that need them.
/// What is missing, left over or of another shape is collected and told by finish() in one error.
/// Not thread-safe.
class Weights {
 public:
  /// `dtype`: what floating-point tensors become; nullopt leaves them as they are. `kernels`: what
  /// linear layers run on; null for MLX's own operations.
  Weights(std::map<std::string, mx::array> tensors, QuantizationTable quantization,
          std::optional<mx::Dtype> dtype, SharedKernels kernels = nullptr)
      : tensors_(std::move(tensors)),
        quantization_(std::move(quantization)),
        dtype_(dtype),
        kernels_(std::move(kernels)) {}

  const SharedKernels& kernels() const { return kernels_; }

  bool has(const std::string& name) const { return tensors_.contains(name); }

  mx::array take(const std::string& name, const mx::Shape& shape);

  /// The matrix at `path`.weight, plain or quantised, of the given unpacked shape (..., out, in).
  Matrix matrix(const std::string& path, const mx::Shape& shape);
  Linear linear(const std::string& path, int in, int out, bool bias);
  /// gate_proj, up_proj and down_proj behind `path`, each of `count` experts.
  MixtureOfExperts::Weights experts(const std::string& path, int count, int width, int inner);
  /// `is_head`: the table also makes the logits, so it is worth rearranging.
  Embedding embedding(const std::string& path, int count, int width, bool is_head);
  RmsNorm rms_norm(const std::string& path, int width, float epsilon);
  LayerNorm layer_norm(const std::string& path, int width, float epsilon);

  /// Throws Error(kModel) listing every missing, unexpected and wrongly shaped tensor of
  /// `checkpoint`.
  void finish(const std::string& checkpoint) const;

  /// Evaluates the arrays handed out so far; returns their bytes and those of packed matrices.
  uint64_t evaluate();

 private:
  SharedMatrix pack(const std::string& path, const Matrix& matrix,
                    const std::optional<mx::array>& bias);
  void forget(const std::string& name);
  mx::Dtype norm_dtype() const;
  mx::array give(const std::string& name, mx::array tensor);

  std::map<std::string, mx::array> tensors_;
  QuantizationTable quantization_;
  std::optional<mx::Dtype> dtype_;
  SharedKernels kernels_;
  std::set<std::string> used_;
  std::map<std::string, mx::array> taken_;
  uint64_t packed_bytes_ = 0;
  std::vector<std::string> problems_;
};

/// "(3, 4)"
std::string to_string(const mx::Shape& shape);

}  // namespace prismvid::nn
