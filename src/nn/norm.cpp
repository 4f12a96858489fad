#include "nn/norm.h"

#include "nn/kernel_primitive.h"
#include "nn/kernels/elementwise.h"

namespace prismvid::nn {
namespace {

bool has_kernel(const SharedKernels& kernels, const mx::array& x, const mx::array& weight) {
  return kernels && number_type(x.dtype()) && number_type(weight.dtype());
}

}  // namespace

mx::array RmsNorm::operator()(const mx::array& x) const {
  if (!has_kernel(kernels_, x, weight_)) return mx::fast::rms_norm(x, weight_, epsilon_);
  return kernel_array("RmsNorm", x.shape(), weight_.dtype(), {x, weight_},
                      [kernels = kernels_, epsilon = epsilon_](const std::vector<mx::array>& inputs,
                                                               mx::array& output) {
                        const mx::array& weight = inputs[1];
                        kernels::normalize(kernels->context(), rows_of(inputs[0]),
                                           {weight.data<void>(), nullptr,
                                            number_type(weight.dtype()).value(), epsilon},
                                           writable_rows_of(output));
                      });
}

mx::array LayerNorm::operator()(const mx::array& x) const {
  if (!has_kernel(kernels_, x, weight_) || bias_.dtype() != weight_.dtype())
    return mx::fast::layer_norm(x, weight_, bias_, epsilon_);
  return kernel_array("LayerNorm", x.shape(), weight_.dtype(), {x, weight_, bias_},
                      [kernels = kernels_, epsilon = epsilon_](const std::vector<mx::array>& inputs,
                                                               mx::array& output) {
                        const mx::array& weight = inputs[1];
                        kernels::normalize(kernels->context(), rows_of(inputs[0]),
                                           {weight.data<void>(), inputs[2].data<void>(),
                                            number_type(weight.dtype()).value(), epsilon},
                                           writable_rows_of(output));
                      });
}

}  // namespace prismvid::nn
