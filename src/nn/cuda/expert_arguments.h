#pragma once
// What the kernels of a mixture of experts and the program around them share.
#include "arguments.h"

namespace prismvid::cuda {

constexpr int kMostExperts = 512, kMostChosen = 32;  // the latter of one token

enum class ExpertPart : int {
  kGated,  // silu(x gate^T) * (x up^T) of each chosen expert
  kMixed,  // the chosen experts' x down^T, each times its share, added up
};

struct ExpertArguments {
  ProductMatrix matrices[2];  // of all experts, (experts, rows, columns): gate and up, or down
  const float* scores;        // (tokens, experts): the router's
  const bf16* x;              // (tokens, columns); kMixed: (tokens, chosen, columns)
  const bf16* norm;           // (columns) or null: x is RMS-normalised by it first
  const bf16* residual;       // as y, or null: added
  bf16* y;                    // kGated: (tokens, chosen, rows); kMixed: (tokens, rows)
  float epsilon;
  int experts, chosen, normalize;  // normalize: the shares of the chosen sum to 1
  int group, rows, columns;

  // Columns of one row of the product as it is summed: all chosen experts' one behind the other.
  __host__ __device__ int all_columns(ExpertPart part) const {
    return part == ExpertPart::kMixed ? chosen * columns : columns;
  }
  // What a warp works on at a time: a row of gate and up, or two rows.
  __host__ __device__ int tasks(ExpertPart part) const {
    return part == ExpertPart::kMixed ? rows / 2 : chosen * rows;
  }
};

// Unit: columns of a lane, whose activations share a scale; 64 or 32 (groups of 128 are two).
template <int Bits_, int Unit_, ExpertPart Part_>
struct ExpertShape {
  static constexpr int Bits = Bits_, kUnit = Unit_;
  static constexpr ExpertPart kPart = Part_;
  // So many tasks are under way in a block that few warps must take a second or third one.
  static constexpr int kWarps = Part_ == ExpertPart::kGated ? 16 : 8, kThreads = kWarps * kWarp;
  static constexpr int kWords = kUnit * Bits / 32;        // of a lane and row
  static constexpr int kChunkBytes = kWarp * kWords * 4;  // of a warp and row
  static constexpr int kChunkPieces = kChunkBytes / 16;
  static constexpr int kStageBytes = 2 * kChunkBytes, kStages = 3;
  static constexpr int kRingBytes = kWarps * kStages * kStageBytes;
  static constexpr int kQuads = kUnit / 16 * 2;  // 16-byte pieces of a unit's activations

  __host__ __device__ static constexpr int chunks(int all_columns) {
    return (all_columns / kUnit + kWarp - 1) / kWarp;
  }
  // Ring, activations, their scales and sums, where pieces of rows and their groups lie.
  __host__ static constexpr size_t shared_bytes(int all_columns) {
    const size_t units = static_cast<size_t>(chunks(all_columns)) * kWarp;
    return kRingBytes + units * (kQuads * 16 + sizeof(float2) + 4) +
           static_cast<size_t>(chunks(all_columns)) * kChunkPieces * 4;
  }
};

}  // namespace prismvid::cuda
