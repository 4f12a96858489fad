#pragma once

#include "nn/linear.h"

namespace prismvid::nn {

/// One matrix for each expert: (experts, out, in).
struct ExpertWeights {
  Matrix gate, up, down;
};

/// The same for the CPU kernels.
struct PackedExpertWeights {
  SharedMatrix gate, up, down;
  int experts;
};

/// A mixture of SwiGLU experts: a router picks `experts_per_token` of them for each token.
class MixtureOfExperts {
 public:
  struct Options {
    int experts_per_token = 8;
    bool normalize = true;  // the chosen probabilities sum to 1
  };

  using Weights = std::variant<ExpertWeights, PackedExpertWeights>;

  MixtureOfExperts(Linear router, Weights weights, Options options)
      : router_(std::move(router)), weights_(std::move(weights)), options_(options) {}

  /// The result plus `other`: (batch, tokens, width) -> the same.
  mx::array plus(const mx::array& x, const mx::array& other) const;

  const Linear& router() const { return router_; }
  const Options& options() const { return options_; }
  /// Null where the CPU kernels multiply.
  const ExpertWeights* plain_weights() const { return std::get_if<ExpertWeights>(&weights_); }

  /// Whether run() can be called.
  bool has_kernels() const;
  /// output = the result for x plus `other`, all (tokens, width), at once on the CPU's kernels.
  void run(const kernels::ConstRows& x, const kernels::ConstRows& other,
           const kernels::Rows& output) const;

 private:
  mx::array by_mlx(const mx::array& x, const ExpertWeights& weights) const;

  Linear router_;
  Weights weights_;
  Options options_;
};

}  // namespace prismvid::nn
