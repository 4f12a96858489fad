#include "nn/kernels/kernel_table.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::nn::kernels {
namespace {

/// Without products of sums where these do not pay: AMD's processors add bytes on four pipes and
/// multiply them on two, Intel's do both on the same two once vectors are 512 bits long.
/// Asks for a level's table when it is wanted: its source may use the level's instructions.
template <const KernelTable& (*level)()>
const KernelTable& of_this_processor() {
  static const KernelTable table = [] {
    KernelTable of_level = level();
    if (amd_family() == 0) std::fill_n(of_level.multiply_sums, 2, nullptr);
    return of_level;
  }();
  return table;
}

}  // namespace

const KernelTable& kernel_table(Isa isa) {
  const auto levels = supported_isas();
  check(std::find(levels.begin(), levels.end(), isa) != levels.end(), ErrorCode::kUnavailable,
        "kernels: this processor lacks ", to_string(isa));
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return of_this_processor<amx_kernels>();
  if (isa == Isa::kAvx512Bf16) return of_this_processor<avx512_bf16_kernels>();
  if (isa == Isa::kAvx512) return of_this_processor<avx512_kernels>();
  if (isa == Isa::kAvxVnni) return avx_vnni_kernels();
  if (isa == Isa::kAvx2) return avx2_kernels();
#elif defined(__aarch64__)
  if (isa == Isa::kNeonI8mm) return neon_i8mm_kernels();
  if (isa == Isa::kNeon) return neon_kernels();
#endif
  return portable_kernels();
}

LinearKernels linear_kernels(const KernelTable& table, Precision precision, NumberType type,
                             int tokens, int bits) {
  // Fewer do not make up for weights that become bf16, or that are unpacked for all.
  constexpr int kFewestTiled = 24, kFewestSummed = 9;
  const bool may_round = precision == Precision::kInt8 ||
                         (precision == Precision::kFull && type == NumberType::kBfloat16);
  if (table.multiply_tiles && may_round && tokens >= kFewestTiled)
    return {table.prepare_tiles, table.multiply_tiles};
  const int kind = static_cast<int>(precision);
  if (precision != Precision::kFloat32 && table.multiply_sums[kind] && tokens >= kFewestSummed &&
      bits <= kMostBitsSummed)
    return {table.prepare_sums[kind], table.multiply_sums[kind]};
  return {table.prepare[kind], table.multiply[kind]};
}

}  // namespace prismvid::nn::kernels
