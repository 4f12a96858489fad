#include "nn/activation.h"

#include <cmath>
#include <numbers>

#include "nn/kernel_primitive.h"
#include "nn/kernels/elementwise.h"

namespace prismvid::nn {
namespace {

using kernels::Activation;

mx::array activated(const mx::array& x, Activation activation, const SharedKernels& kernels) {
  return kernel_array(
      "Activation", x.shape(), x.dtype(), {x},
      [kernels, activation](const std::vector<mx::array>& inputs, mx::array& output) {
        kernels::activate(kernels->context(), activation, rows_of(inputs[0]), nullptr,
                          writable_rows_of(output));
      });
}

}  // namespace

mx::array gelu(const mx::array& x, const SharedKernels& kernels) {
  if (kernels && number_type(x.dtype())) return activated(x, Activation::kGelu, kernels);
  const mx::array phi =
      mx::erf(x * scalar_like(x, 1 / std::numbers::sqrt2_v<float>)) + scalar_like(x, 1);
  return x * phi * scalar_like(x, 0.5f);
}

mx::array gelu_tanh(const mx::array& x, const SharedKernels& kernels) {
  if (kernels && number_type(x.dtype())) return activated(x, Activation::kGeluTanh, kernels);
  const mx::array cubed = x * x * x;
  const mx::array inner = (x + cubed * scalar_like(x, 0.044715f)) *
                          scalar_like(x, std::sqrt(2 / std::numbers::pi_v<float>));
  return x * (mx::tanh(inner) + scalar_like(x, 1)) * scalar_like(x, 0.5f);
}

}  // namespace prismvid::nn
