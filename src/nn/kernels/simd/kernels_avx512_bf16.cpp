#include "nn/kernels/simd/attend_rows.h"
#include "nn/kernels/simd/attention.h"
#include "nn/kernels/simd/bfloat16_dot.h"
#include "nn/kernels/simd/byte_attention.h"
#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/elementwise.h"
#include "nn/kernels/simd/float_dot.h"
#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_avx512.h"

namespace prismvid::nn::kernels {

const KernelTable& avx512_bf16_kernels() {
  using Lanes = Avx512Lanes<true>;
  using Bytes = ByteDot<Lanes>;
  using Floats = FloatDot<Lanes>;
  using TwoBytes = ByteDot<Lanes, 2>;  // on Intel several times as fast as bf16
  using Full = Bfloat16Dot;
  static constexpr KernelTable table = {
      .isa = Isa::kAvx512Bf16,
      .prepare = {prepare<Bytes>, prepare<TwoBytes>, prepare<Floats>},
      .multiply = {multiply<Bytes>, multiply<TwoBytes>, multiply<Floats>},
      .prepare_sums = {prepare<ByteSumDot<Lanes>>, prepare<ByteSumDot<Lanes, 2>>},
      .multiply_sums = {multiply<ByteSumDot<Lanes>>, multiply<ByteSumDot<Lanes, 2>>},
      .prepare_dense = {prepare<Floats>, Full::prepare},
      .multiply_dense = {multiply_dense<Floats>, multiply_dense<Full>},
      .attend_rows = attend_rows<Lanes>,
      .expand = expand<Lanes>,
      .normalize = normalize<Lanes>,
      .rotate = rotate<Lanes>,
      .activate = {activate<Lanes, SwiGlu>, activate<Lanes, Gelu>, activate<Lanes, GeluTanh>},
      .pack_keys = {pack_keys<Floats>, pack_keys<Full>, pack_byte_keys<ByteKeys<Lanes>>},
      .pack_values = {pack_values<Floats>, pack_values<Full>, pack_byte_values<Lanes>},
      .attend_block = {attend_block<Floats>, attend_block<Full>,
                       attend_block<ByteScores<ByteKeys<Lanes>>, ByteMix<Lanes>>}};
  return table;
}

}  // namespace prismvid::nn::kernels
