#pragma once

#include "nn/linear.h"

namespace prismvid::nn {

/// A mixture of SwiGLU experts: a router picks `experts_per_token` of them for each token.
class MixtureOfExperts {
 public:
  struct Options {
    int experts_per_token = 8;
    bool normalize = true;  // the chosen probabilities sum to 1
  };

  /// gate, up and down hold one matrix for each expert: (experts, out, in).
  MixtureOfExperts(Linear router, Matrix gate, Matrix up, Matrix down, Options options)
      : router_(std::move(router)),
        gate_proj_(std::move(gate)),
        up_proj_(std::move(up)),
        down_proj_(std::move(down)),
        options_(options) {}

  /// (batch, tokens, width) -> the same.
  mx::array operator()(const mx::array& x) const;
  mx::array plus(const mx::array& x, const mx::array& other) const { return other + (*this)(x); }

 private:
  Linear router_;
  Matrix gate_proj_, up_proj_, down_proj_;
  Options options_;
};

}  // namespace prismvid::nn
