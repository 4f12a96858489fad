// The product with plain weights, written once for all instruction sets; see DenseMatrix.
#pragma once

#include "nn/kernels/simd/quantized_linear.h"

namespace prismvid::nn::kernels {

/// Blocks of rows that are multiplied together.
template <class Dot>
constexpr int kDenseBlocks = PairsBlocks<Dot> || TiledDot<Dot> ? 2 : 1;

/// Columns whose weights, beside a tile of tokens, fit into a first cache of 32 KiB. Tiles stay in
/// registers through all columns, so that weights need not fit there.
template <class Dot>
constexpr int kStretchColumns = TiledDot<Dot> ? 2048 : 128 * Dot::kColumnsPerStep;

/// A stretch of columns of neighbouring blocks, which lie `next_block` bytes apart.
struct WeightStretch {
  const std::uint8_t* data;
  std::size_t next_block;
};

/// Weights that lie as Dot wants them.
template <class Dot>
struct InPlace {
  static constexpr std::size_t kWeightBytes = 4 / Dot::kColumnsPerStep;
  WeightStretch stretch(WeightStretch weights, int blocks, int columns) { return weights; }
};

/// bf16 pairs, made f32 a stretch at a time.
template <class Dot>
struct WidenedPairs {
  using V = typename Dot::Vector;
  static constexpr std::size_t kWeightBytes = 2;
  alignas(64) float panels[kDenseBlocks<Dot>][kStretchColumns<Dot> * 16];

  WeightStretch stretch(WeightStretch weights, int blocks, int columns) {
    for (int b = 0; b < blocks; ++b, weights.data += weights.next_block)
      for (int k = 0; k < columns; k += 2) {
        const auto pairs = V::load_bytes(weights.data + 32 * k);
        V::store(panels[b] + 16 * k, V::low_halves(pairs));
        V::store(panels[b] + 16 * k + 16, V::high_halves(pairs));
      }
    return {reinterpret_cast<const std::uint8_t*>(panels), sizeof(panels[0])};
  }
};

/// out[b] (T, 16) = or += block b of the weights, which lie `next_block` bytes apart, times T
/// tokens.
template <class Dot, int B, int T, int kTokenStride = 4, bool kAdds = true>
void add_dense_tile(const std::uint8_t* weights, std::size_t next_block, int steps,
                    const std::uint8_t* x, std::size_t x_stride, float* const* out) {
  using V = typename Dot::Vector;
  float *const first = out[0], *const second = out[B - 1];
  const auto start = [&](int t, int b) {
    return kAdds ? V::load((b == 0 ? first : second) + 16 * t) : V::zero();
  };
  if constexpr (B == 2) {
    multiply_pair<Dot, 0, T, kTokenStride>(steps, weights, next_block, x, x_stride, start,
                                           [&](int t, auto sum, auto next_sum) {
                                             V::store(first + 16 * t, sum);
                                             V::store(second + 16 * t, next_sum);
                                           });
  } else {
    typename Dot::Sum dots[T];
    for (int t = 0; t < T; ++t) dots[t] = start(t, 0);
    const auto weight = [&](int s, int) { return V::load_bytes(weights + 64 * s); };
    add_dots<Dot, 0, T, 1, kTokenStride>(steps, weight, x, x_stride, dots);
    for (int t = 0; t < T; ++t) V::store(first + 16 * t, dots[t]);
  }
}

/// Adds what a stretch of columns of B blocks, which lie `next_block` bytes apart, gives for the
/// tokens of a tile.
template <class Dot, int B>
void add_dense_blocks(const std::uint8_t* weights, std::size_t next_block, int columns,
                      int all_columns, const std::uint8_t* x, int tokens, float* const* out) {
  in_parts<Dot::template kTokensTogether<0>>(tokens, [&]<int T>(int from) {
    float* const sums[] = {out[0] + 16 * from, out[B - 1] + 16 * from};
    add_dense_tile<Dot, B, T>(weights, next_block, columns / Dot::kColumnsPerStep, x + 4 * from,
                              4 * tokens, sums);
  });
}
template <class Dot, int B>
requires TiledDot<Dot>
void add_dense_blocks(const std::uint8_t* weights, std::size_t next_block, int columns,
                      int all_columns, const std::uint8_t* x, int tokens, float* const* out) {
  Dot::template add<B>(weights, next_block, columns, all_columns, x, tokens, out);
}

/// Adds what columns [first, first + count) of B blocks give for all tokens.
template <class Dot, int B, class Source>
void add_dense_stretch(const DenseArguments& a, int block, int first, int count, Source& source,
                       float (*sums)[kMaxTokens * 16]) {
  const int columns = a.matrix.columns;
  const std::size_t block_bytes = std::size_t(columns) * 16 * Source::kWeightBytes;
  const auto [weights, next_block] = source.stretch(
      {a.matrix.data + block * block_bytes + std::size_t(first) * 16 * Source::kWeightBytes,
       block_bytes},
      B, count);
  constexpr int kTile = kTileTokens<Dot>;
  for (int t = 0; t < a.tokens; t += kTile) {
    const int tokens = a.tokens - t < kTile ? a.tokens - t : kTile;
    const std::uint8_t* x = a.prepared + t / kTile * prepared_bytes(kTile, columns, columns) +
                            value_bytes<Dot>(tokens, first);
    float* out[B];
    for (int b = 0; b < B; ++b) out[b] = sums[b] + 16 * t;
    add_dense_blocks<Dot, B>(weights, next_block, count, columns, x, tokens, out);
  }
}

template <class Dot, class Source = InPlace<Dot>>
void multiply_dense(const DenseArguments& a) {
  using V = typename Dot::Vector;
  constexpr int kStretch = kStretchColumns<Dot>;
  Source source;
  alignas(64) float sums[kBlocksTogether<Dot>][kMaxTokens * 16];
  for (int first = a.first_block; first < a.last_block; first += kBlocksTogether<Dot>) {
    const int left = a.last_block - first;
    const int blocks = left < kBlocksTogether<Dot> ? left : kBlocksTogether<Dot>;
    for (int i = 0; i < blocks; ++i) start_sums<V>(a, first + i, sums[i]);
    for (int k = 0; k < a.matrix.columns; k += kStretch) {
      const int count = a.matrix.columns - k < kStretch ? a.matrix.columns - k : kStretch;
      in_blocks<kDenseBlocks<Dot>>(blocks, [&]<int kTogether>(int i) {
        add_dense_stretch<Dot, kTogether>(a, first + i, k, count, source, sums + i);
      });
    }
    store_blocks<V>(a, a.matrix.rows, first, blocks, sums);
  }
}

}  // namespace prismvid::nn::kernels
