#pragma once

#include "nn/mlx.h"

namespace prismvid::nn {

/// Root mean square norm over the last axis (arXiv:1910.07467).
class RmsNorm {
 public:
  RmsNorm(mx::array weight, float epsilon) : weight_(std::move(weight)), epsilon_(epsilon) {}
  mx::array operator()(const mx::array& x) const;

 private:
  mx::array weight_;
  float epsilon_;
};

/// Layer norm over the last axis (arXiv:1607.06450).
class LayerNorm {
 public:
  LayerNorm(mx::array weight, mx::array bias, float epsilon)
      : weight_(std::move(weight)), bias_(std::move(bias)), epsilon_(epsilon) {}
  mx::array operator()(const mx::array& x) const;

 private:
  mx::array weight_;
  mx::array bias_;
  float epsilon_;
};

}  // namespace prismvid::nn
