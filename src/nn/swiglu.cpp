#include "nn/swiglu.h"

namespace prismvid::nn {

mx::array swiglu(const mx::array& gate, const mx::array& up) {
  return gate * mx::sigmoid(gate) * up;
}

}  // namespace prismvid::nn
