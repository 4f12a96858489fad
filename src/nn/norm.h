#pragma once

#include "nn/kernel_runtime.h"
#include "nn/mlx.h"

namespace prismvid::nn {

/// Root mean square norm over the last axis (arXiv:1910.07467), in the dtype of the weight where
/// the CPU kernels work it out: x may be wider.
class RmsNorm {
 public:
  RmsNorm(mx::array weight, float epsilon, SharedKernels kernels = nullptr)
      : weight_(std::move(weight)), epsilon_(epsilon), kernels_(std::move(kernels)) {}
  mx::array operator()(const mx::array& x) const;

  const mx::array& weight() const { return weight_; }
  float epsilon() const { return epsilon_; }

 private:
  mx::array weight_;
  float epsilon_;
  SharedKernels kernels_;
};

/// Layer norm over the last axis (arXiv:1607.06450), in the dtype of the weight as RmsNorm.
class LayerNorm {
 public:
  LayerNorm(mx::array weight, mx::array bias, float epsilon, SharedKernels kernels = nullptr)
      : weight_(std::move(weight)),
        bias_(std::move(bias)),
        epsilon_(epsilon),
        kernels_(std::move(kernels)) {}
  mx::array operator()(const mx::array& x) const;

 private:
  mx::array weight_;
  mx::array bias_;
  float epsilon_;
  SharedKernels kernels_;
};

}  // namespace prismvid::nn
