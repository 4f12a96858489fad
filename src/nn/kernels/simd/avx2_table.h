// The table of the levels with AVX2, without and with AVX-VNNI.
#pragma once

#include "nn/kernels/simd/attend_rows.h"
#include "nn/kernels/simd/attention.h"
#include "nn/kernels/simd/byte_attention.h"
#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/elementwise.h"
#include "nn/kernels/simd/float_dot.h"
#include "nn/kernels/simd/quantized_linear.h"
#include "nn/kernels/simd/vector_avx2.h"

namespace prismvid::nn::kernels {

template <class Lanes>
constexpr KernelTable avx2_table(Isa isa) {
  using Bytes = ByteDot<Lanes>;
  using Floats = FloatDot<Lanes>;
  using TwoBytes = ByteDot<Lanes, 2>;
  return {.isa = isa,
          .prepare = {prepare<Bytes>, prepare<TwoBytes>, prepare<Floats>},
          .multiply = {multiply<Bytes>, multiply<TwoBytes>, multiply<Floats>},
          .prepare_dense = {prepare<Floats>, prepare<Floats>},
          .multiply_dense = {multiply_dense<Floats>, multiply_dense<Floats, WidenedPairs<Floats>>},
          .attend_rows = attend_rows<Lanes>,
          .expand = expand<Lanes>,
          .normalize = normalize<Lanes>,
          .rotate = rotate<Lanes>,
          .activate = {activate<Lanes, SwiGlu>, activate<Lanes, Gelu>, activate<Lanes, GeluTanh>},
          .pack_keys = {pack_keys<Floats>, pack_keys<Floats>, pack_byte_keys<WordKeys<Lanes>>},
          .pack_values = {pack_values<Floats>, pack_values<Floats>, pack_word_values<Lanes>},
          .attend_block = {attend_block<Floats>, attend_block<Floats>,
                           attend_block<ByteScores<WordKeys<Lanes>>, WordMix<Lanes>>}};
}

}  // namespace prismvid::nn::kernels
