#pragma once

#include <span>
#include <vector>

namespace prismvid::nn {

/// Every token of a vocabulary with its chance, in proportion to exp(logit / temperature) and
/// relative to the likeliest (to 3e-7). Nothing is sorted but the few tokens at the edge of top-p,
/// so 150,000 tokens take a fraction of a millisecond. The logits are borrowed.
class TokenWeights {
 public:
  /// `temperature` > 0. Minus infinity and NaN have no chance.
  TokenWeights(std::span<const float> logits, float temperature);

  /// Drops all but the fewest likeliest tokens whose chances reach `top_p`; equal ones by id.
  void keep_top_p(float top_p);
  /// Drops tokens less likely than `min_p` times the likeliest.
  void keep_min_p(float min_p);

  /// The first token, in the order of ids, with which the chances of those kept reach the share
  /// `uniform` in [0, 1) of them all; 0 where no token has a chance.
  int draw(double uniform) const;

  std::span<const float> weights() const { return weights_; }

 private:
  double total() const;

  std::span<const float> logits_;
  std::vector<float> weights_;
};

}  // namespace prismvid::nn
