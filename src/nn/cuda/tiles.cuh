#pragma once
// Weights in the order in which the kernels of one token read them: tiles of 16 packed rows, one
// behind the other along a row tile's columns, each with its scales and biases. So a warp's copies
// are one stretch of memory, which reads a tenth faster than 16 rows of 96 to 256 bytes.
#include "product_rows.cuh"

namespace prismvid::cuda {

// Word `index` of `lane` in a tile: the lane's part of row lane / 4, then that of the row 8 below.
template <class Shape>
__device__ inline uint32_t tile_word(const ProductArguments& a, int row_tile, int tile, int lane,
                                     int index) {
  const Rows rows = find_rows(a, row_tile * 16, index / Shape::kWords);
  const int row = lane / 4;
  if (row >= rows.count) return 0;
  constexpr int tile_words = Shape::kRowBytes / 4;
  const size_t row_words = static_cast<size_t>(a.columns) / 32 * Shape::Bits;
  return rows.matrix->weight[(rows.first + row) * row_words + tile * tile_words +
                             lane % 4 * Shape::kWords + index % Shape::kWords];
}

// Scales of rows lane / 4 and 8 below, or their biases.
template <class Shape>
__device__ inline uint32_t tile_scales(const ProductArguments& a, int row_tile, int tile, int lane,
                                       bool biases) {
  const int group = (tile * Shape::kTile + lane % 4 * Shape::kUnit) / a.group;
  uint32_t pair = 0;
  for (int half = 0; half < 2; ++half) {
    const Rows rows = find_rows(a, row_tile * 16, half);
    if (lane / 4 >= rows.count) continue;
    const bf16* from = biases ? rows.matrix->biases : rows.matrix->scales;
    const size_t row = static_cast<size_t>(rows.first + lane / 4);
    pair |= static_cast<uint32_t>(__bfloat16_as_ushort(from[row * (a.columns / a.group) + group]))
            << (16 * half);
  }
  return pair;
}

// Grid: (row tiles). Writes the tiles of a product's matrices.
template <class Shape>
__device__ void arrange_tiles(const ProductArguments& a, uint32_t* out) {
  constexpr int words = Shape::kTileBytes / 4, width = Shape::kPieceWords,
                weights = 16 * Shape::kRowBytes / 4;
  const int tiles = a.columns / Shape::kTile;
  uint32_t* to = out + static_cast<size_t>(blockIdx.x) * tiles * words;
  for (int i = threadIdx.x; i < tiles * words; i += blockDim.x) {
    const int tile = i / words, at = i % words;
    if (at < weights) {
      const int lane = at / width % kWarp, index = at / (width * kWarp) * width + at % width;
      to[i] = tile_word<Shape>(a, blockIdx.x, tile, lane, index);
    } else if constexpr (Shape::kQuantized) {
      to[i] = tile_scales<Shape>(a, blockIdx.x, tile, (at - weights) / 2, at % 2 != 0);
    }
  }
}

}  // namespace prismvid::cuda
