#include "nn/kernels/simd/avx2_table.h"

namespace prismvid::nn::kernels {

const KernelTable& avx_vnni_kernels() {
  static constexpr KernelTable table = avx2_table<Avx2Lanes<true>>(Isa::kAvxVnni);
  return table;
}

}  // namespace prismvid::nn::kernels
