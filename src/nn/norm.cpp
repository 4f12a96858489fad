#include "nn/norm.h"

namespace prismvid::nn {

mx::array RmsNorm::operator()(const mx::array& x) const {
  return mx::fast::rms_norm(x, weight_, epsilon_);
}

mx::array LayerNorm::operator()(const mx::array& x) const {
  return mx::fast::layer_norm(x, weight_, bias_, epsilon_);
}

}  // namespace prismvid::nn
