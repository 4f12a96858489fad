#include "nn/activation.h"

#include <cmath>
#include <numbers>

namespace prismvid::nn {

mx::array gelu(const mx::array& x) {
  const mx::array phi =
      mx::erf(x * scalar_like(x, 1 / std::numbers::sqrt2_v<float>)) + scalar_like(x, 1);
  return x * phi * scalar_like(x, 0.5f);
}

mx::array gelu_tanh(const mx::array& x) {
  const mx::array cubed = x * x * x;
  const mx::array inner = (x + cubed * scalar_like(x, 0.044715f)) *
                          scalar_like(x, std::sqrt(2 / std::numbers::pi_v<float>));
  return x * (mx::tanh(inner) + scalar_like(x, 1)) * scalar_like(x, 0.5f);
}

}  // namespace prismvid::nn
