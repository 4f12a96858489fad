#pragma once

#include "nn/linear.h"

namespace prismvid::nn {

/// silu(gate) * up (arXiv:2002.05202).
mx::array swiglu(const mx::array& gate, const mx::array& up);

/// down(silu(gate(x)) * up(x))
class SwiGlu {
 public:
  SwiGlu(Linear gate, Linear up, Linear down)
      : gate_proj_(std::move(gate)), up_proj_(std::move(up)), down_proj_(std::move(down)) {}
  mx::array operator()(const mx::array& x) const {
    return down_proj_(swiglu(gate_proj_(x), up_proj_(x)));
  }

 private:
  Linear gate_proj_, up_proj_, down_proj_;
};

}  // namespace prismvid::nn
