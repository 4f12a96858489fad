#include "nn/kernels/simd/attend_rows.h"
#include "nn/kernels/simd/attention.h"
#include "nn/kernels/simd/byte_attention.h"
#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/elementwise.h"
#include "nn/kernels/simd/float_dot.h"
#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_avx2.h"

namespace prismvid::nn::kernels {

const KernelTable& avx2_kernels() {
  using Bytes = ByteDot<Avx2>;
  using Floats = FloatDot<Avx2>;
  using TwoBytes = ByteDot<Avx2, 2>;
  static constexpr KernelTable table = {
      .isa = Isa::kAvx2,
      .prepare = {prepare<Bytes>, prepare<TwoBytes>, prepare<Floats>},
      .multiply = {multiply<Bytes>, multiply<TwoBytes>, multiply<Floats>},
      .prepare_dense = {prepare<Floats>, prepare<Floats>},
      .multiply_dense = {multiply_dense<Floats>, multiply_dense<Floats, WidenedPairs<Avx2>>},
      .attend_rows = attend_rows<Avx2>,
      .expand = expand<Avx2>,
      .normalize = normalize<Avx2>,
      .rotate = rotate<Avx2>,
      .activate = {activate<Avx2, SwiGlu>, activate<Avx2, Gelu>, activate<Avx2, GeluTanh>},
      .pack_keys = {pack_keys<Floats>, pack_keys<Floats>, pack_byte_keys<WordKeys<Avx2>>},
      .pack_values = {pack_values<Floats>, pack_values<Floats>, pack_word_values<Avx2>},
      .attend_block = {attend_block<Floats>, attend_block<Floats>,
                       attend_block<ByteScores<WordKeys<Avx2>>, WordMix<Avx2>>}};
  return table;
}

}  // namespace prismvid::nn::kernels
