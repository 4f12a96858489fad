#include "nn/kernels/kernel_table.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::nn::kernels {

const KernelTable& kernel_table(Isa isa) {
  const auto levels = supported_isas();
  check(std::find(levels.begin(), levels.end(), isa) != levels.end(), ErrorCode::kUnavailable,
        "kernels: this processor lacks ", to_string(isa));
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return amx_kernels();
  if (isa == Isa::kAvx512Bf16) return avx512_bf16_kernels();
  if (isa == Isa::kAvx512) return avx512_kernels();
  if (isa == Isa::kAvxVnni) return avx_vnni_kernels();
  if (isa == Isa::kAvx2) return avx2_kernels();
#elif defined(__aarch64__)
  if (isa == Isa::kNeonI8mm) return neon_i8mm_kernels();
  if (isa == Isa::kNeon) return neon_kernels();
#endif
  return portable_kernels();
}

LinearKernels linear_kernels(const KernelTable& table, Precision precision, NumberType type,
                             int tokens) {
  // Fewer do not make up for weights that become bf16.
  constexpr int kFewestTiled = 24;
  const bool may_round = precision == Precision::kInt8 ||
                         (precision == Precision::kFull && type == NumberType::kBfloat16);
  if (table.multiply_tiles && may_round && tokens >= kFewestTiled)
    return {table.prepare_tiles, table.multiply_tiles};
  const int kind = static_cast<int>(precision);
  return {table.prepare[kind], table.multiply[kind]};
}

}  // namespace prismvid::nn::kernels
