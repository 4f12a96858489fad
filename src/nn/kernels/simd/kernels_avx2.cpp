#include "nn/kernels/simd/avx2_table.h"

namespace prismvid::nn::kernels {

const KernelTable& avx2_kernels() {
  static constexpr KernelTable table = avx2_table<Avx2Lanes<false>>(Isa::kAvx2);
  return table;
}

}  // namespace prismvid::nn::kernels
