// Attention whose scores and mixed values are products in AMX's tiles.
#pragma once

#include "nn/kernels/simd/attention.h"
#include "nn/kernels/simd/tile_linear.h"

namespace prismvid::nn::kernels {

/// Scores of queries and keys in bf16.
class TileScores {
 public:
  using V = TileDot::Vector;

  explicit TileScores(const AttendBlockArguments& a)
      : a_(a), all_pairs_(a.head_dim / 2), pairs_(all_pairs_ < 16 ? all_pairs_ : 16) {
    while (all_pairs_ % pairs_ != 0) --pairs_;
    for (int t = 0; t < a.query_count; ++t)
      __builtin_memcpy(queries_ + t * a.head_dim, number_at(a.queries, a.type, t * a.query_stride),
                       2 * a.head_dim);
  }

  float factor(int t) const { return a_.scale; }

  void find(int first, int blocks, ScoreBlock* scores) const {
    const std::size_t block_bytes = 64 * static_cast<std::size_t>(all_pairs_);
    const std::uint8_t* keys = a_.keys + static_cast<std::size_t>(first / 16) * block_bytes;
    for (int tile = 0; tile < a_.query_count; tile += kTiledTokens) {
      Tiles::shape(tile_width(a_, tile, kTiledTokens), pairs_);
      const TileRows x = {reinterpret_cast<const std::uint8_t*>(queries_ + tile * a_.head_dim),
                          4 * static_cast<std::size_t>(all_pairs_),
                          4 * static_cast<std::size_t>(pairs_)};
      in_blocks<2>(blocks, [&]<int B>(int b) {
        float* const out[] = {scores[b][tile], scores[b + B - 1][tile]};
        Tiles::multiply<B, false>(x, keys + b * block_bytes, block_bytes, all_pairs_ / pairs_, out);
      });
    }
  }

 private:
  const AttendBlockArguments& a_;
  int all_pairs_, pairs_;
  alignas(64) std::uint16_t queries_[kQueriesTogether * kMaxHeadDim];
};

/// What queries make of values in bf16; shares come in whole steps of 32 keys.
class TileMix : public PlainMix<Bfloat16Dot> {
 public:
  static constexpr int kBlocksPerPut = 2;
  using PlainMix::PlainMix;

  template <class Share>
  Floats put(int t, int block, Share share) {
    const Floats sum = PlainMix::put(t, block, share);
    return V::add(sum, PlainMix::put(t, block + 1, [&](int) { return share(1); }));
  }

  void add(int first, int keys, const StepSums&) {
    constexpr int kPairs = 16;
    const std::uint8_t* values = a_.values + static_cast<std::size_t>(first) * blocks_ * 32;
    for (int tile = 0; tile < a_.query_count; tile += kTiledTokens) {
      Tiles::shape(tile_width(a_, tile, kTiledTokens), kPairs);
      const TileRows x = {reinterpret_cast<const std::uint8_t*>(shares_[tile]), sizeof(shares_[0]),
                          4 * kPairs};
      in_blocks<2>(blocks_, [&]<int B>(int b) {
        float* const out[] = {mixed_[b][tile], mixed_[b + B - 1][tile]};
        Tiles::multiply<B>(x, values + 64 * kSteps * b, 64 * kSteps, keys / (2 * kPairs), out);
      });
    }
  }
};

static void attend_block_in_tiles(const AttendBlockArguments& a) {
  attend_block<TileScores, TileMix>(a);
  Tiles::release();
}

}  // namespace prismvid::nn::kernels
