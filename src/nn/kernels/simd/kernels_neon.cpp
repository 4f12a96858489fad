#include "nn/kernels/simd/attend_rows.h"
#include "nn/kernels/simd/attention.h"
#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/elementwise.h"
#include "nn/kernels/simd/float_dot.h"
#include "nn/kernels/simd/matrix_dot_neon.h"
#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_neon.h"

namespace prismvid::nn::kernels {

const KernelTable& neon_kernels() {
  using Bytes = ByteDot<Neon>;
  using Floats = FloatDot<Neon>;
  static constexpr KernelTable table = {
      .isa = Isa::kNeon,
      .prepare = {prepare<Bytes>, prepare<Floats>, prepare<Floats>},
      .multiply = {multiply<Bytes>, multiply<Floats>, multiply<Floats>},
      .prepare_dense = {prepare<Floats>, prepare<Floats>},
      .multiply_dense = {multiply_dense<Floats>, multiply_dense<Floats, WidenedPairs<Floats>>},
      .attend_rows = attend_rows<Neon>,
      .expand = expand<Neon>,
      .normalize = normalize<Neon>,
      .rotate = rotate<Neon>,
      .activate = {activate<Neon, SwiGlu>, activate<Neon, Gelu>, activate<Neon, GeluTanh>},
      .pack_keys = {pack_keys<Floats>, pack_keys<Floats>},
      .pack_values = {pack_values<Floats>, pack_values<Floats>},
      .attend_block = {attend_block<Floats>, attend_block<Floats>}};
  return table;
}

const KernelTable& neon_i8mm_kernels() {
  static const KernelTable table = [] {
    KernelTable changed = neon_kernels();
    changed.isa = Isa::kNeonI8mm;
    changed.multiply[0] = multiply<NeonMatrixDot>;
    return changed;
  }();
  return table;
}

}  // namespace prismvid::nn::kernels
