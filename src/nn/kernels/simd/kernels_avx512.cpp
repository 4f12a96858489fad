#include "nn/kernels/simd/attention.h"
#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/elementwise.h"
#include "nn/kernels/simd/float_dot.h"
#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_avx512.h"

namespace prismvid::nn::kernels {

const KernelTable& avx512_kernels() {
  using Bytes = ByteDot<Avx512>;
  using Floats = FloatDot<Avx512>;
  using Full = Bfloat16Dot512;
  static constexpr KernelTable table = {
      .isa = Isa::kAvx512,
      .prepare = {prepare<Bytes>, prepare<Full>, prepare<Floats>},
      .multiply = {multiply<Bytes>, multiply<Full>, multiply<Floats>},
      .prepare_dense = {prepare<Floats>, prepare<Full>},
      .multiply_dense = {multiply_dense<Floats>, multiply_dense<Bfloat16Dot512>},
      .attend_rows = attend_rows<Avx512>,
      .expand = expand<Avx512>,
      .normalize = normalize<Avx512>,
      .rotate = rotate<Avx512>,
      .activate = {activate<Avx512, SwiGlu>, activate<Avx512, Gelu>, activate<Avx512, GeluTanh>},
      .pack_keys = {pack_keys<Floats>, pack_keys<Full>},
      .pack_values = {pack_values<Floats>, pack_values<Full>},
      .attend_block = {attend_block<Floats>, attend_block<Full>}};
  return table;
}

}  // namespace prismvid::nn::kernels
