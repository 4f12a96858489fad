#include "nn/swiglu.h"

namespace prismvid::nn {

mx::array swiglu(const mx::array& gate, const mx::array& up) {
  return gate * mx::sigmoid(gate) * up;
}

mx::array SwiGlu::plus(const mx::array& x, const mx::array& other) const {
  const SharedMatrix gate = gate_proj_.kernel_matrix(), up = up_proj_.kernel_matrix();
  const mx::array hidden =
      gate && up ? multiply_gated(x, gate, up) : swiglu(gate_proj_(x), up_proj_(x));
  return down_proj_.plus(hidden, other);
}

}  // namespace prismvid::nn
