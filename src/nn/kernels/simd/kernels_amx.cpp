#include "nn/kernels/simd/tile_attention.h"
#include "nn/kernels/simd/tile_linear.h"

namespace prismvid::nn::kernels {

const KernelTable& amx_kernels() {
  static const KernelTable table = [] {
    KernelTable t = avx512_bf16_kernels();
    t.isa = Isa::kAmx;
    t.prepare_tiles = t.prepare_dense[1] = {prepare_tiles, kTiledTokens, 4};
    t.multiply_tiles = multiply_tiles;
    t.multiply_dense[1] = multiply_dense_tiles;
    t.attend_block[1] = attend_block_in_tiles;
    return t;
  }();
  return table;
}

}  // namespace prismvid::nn::kernels
