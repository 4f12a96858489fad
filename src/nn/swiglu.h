#pragma once

#include "nn/linear.h"

namespace prismvid::nn {

/// silu(gate) * up (arXiv:2002.05202).
mx::array swiglu(const mx::array& gate, const mx::array& up);

/// down(silu(gate(x)) * up(x)), (..., width) -> the same.
class SwiGlu {
 public:
  SwiGlu(Linear gate, Linear up, Linear down)
      : gate_proj_(std::move(gate)), up_proj_(std::move(up)), down_proj_(std::move(down)) {}

  /// The result plus `other` (the same shape).
  mx::array plus(const mx::array& x, const mx::array& other) const;

  const Linear& gate() const { return gate_proj_; }
  const Linear& up() const { return up_proj_; }
  const Linear& down() const { return down_proj_; }

 private:
  Linear gate_proj_, up_proj_, down_proj_;
};

}  // namespace prismvid::nn
