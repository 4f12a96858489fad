#pragma once
// What the kernels and the program around them share: arguments and shapes.
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace prismvid::cuda {

using bf16 = __nv_bfloat16;

constexpr int kWarp = 32;

// What kernels of one token hand on says itself where it is there: this pair of bf16 is never
// written, as NaN is written as 0x7fff.
constexpr uint32_t kUnwritten = 0xffffffffu;

struct ProductMatrix {
  const uint32_t* weight = nullptr;                 // (rows, columns) packed, or bf16
  const bf16 *scales = nullptr, *biases = nullptr;  // (rows, columns / group)
};

enum class Join : int {
  kBelow,  // the matrices' products one behind the other; all but the last have whole blocks of
           // rows
  kGated,  // silu(x first^T) * (x second^T)
};

struct ProductArguments {
  ProductMatrix matrices[3];
  int first_row[3];  // of each matrix in the result; `rows` for those there are not
  Join join;
  int group;         // weights that share a scale
  const bf16* x;     // (tokens, columns)
  const bf16* norm;  // (columns) or null: x is RMS-normalised by it first
  float epsilon;
  const bf16* residual;  // as y, or null: added
  void* y;               // (tokens, stride), of which `rows`
  int stride;
  int float_output;  // else bf16
  char* arranged;    // x in the order of the wide kernels, and its sums
  float* arranged_sums;
  float* partial;                     // (slices, tokens, part_stride()): where slices > 1
  uint32_t* arrived;                  // a zero for each block of rows
  int rows, columns, tokens, slices;  // kGated: `rows` of the result
  const char* tiles;  // the matrices as the kernels of one token read them (tiles.cuh)
  // Of a step of one token: whether x says itself where it is there (kUnwritten), else the kernel
  // ahead must have ended; what becomes unwritten again once all of x is there, or null.
  int x_tells, clear_count;
  uint4* clear;

  // Rows of weights: twice those of a gated result.
  __host__ __device__ int packed_rows() const { return join == Join::kGated ? 2 * rows : rows; }
  // Of `partial`: a multiple of four floats.
  __host__ __device__ int part_stride() const { return (packed_rows() + 3) / 4 * 4; }
};

// Unit: columns a lane quartet multiplies at a time, 64, or 32 for groups of 32. Warpgroups: of
// four warps, which multiply together on Hopper; 0: each warp for itself.
template <int Bits_, int Unit_, int ColumnTiles_, int WarpsAlongK_, int Warpgroups_ = 0>
struct ProductShape {
  static constexpr int Bits = Bits_, kUnit = Unit_, ColumnTiles = ColumnTiles_,
                       WarpsAlongK = WarpsAlongK_;
  static constexpr bool kQuantized = Bits < 16;
  static constexpr bool kWarpgroups = Warpgroups_ > 0;
  static constexpr int kWarps = kWarpgroups ? 4 * Warpgroups_ : 8, kThreads = kWarps * kWarp;
  static constexpr int kWarpsAlongRows = kWarps / WarpsAlongK;
  static constexpr int kBlockRows = 16 * kWarpsAlongRows;
  static constexpr int kChunk = kQuantized ? 256 : 64;  // columns a warp fetches at a time
  static constexpr int kUnits = kChunk / kUnit;
  static constexpr int kLaneValues = kUnit / 4, kPairs = kLaneValues / 2;
  static constexpr int kQuarters = kPairs / 4;  // 16-byte pieces of x for a lane
  static constexpr int kRowWords = kChunk * Bits / 32;
  // Rows of a stage start in different banks.
  static constexpr int kRowStride = kRowWords + (Bits == 16                 ? 16
                                                 : Bits == 8                ? 16
                                                 : Bits == 4 && kUnit == 64 ? 8
                                                                            : 4);
  static constexpr int kGroupBytes = kQuantized ? kChunk / kUnit * 2 : 0;  // most scales of a row
  static constexpr int kStageBytes = 16 * kRowStride * 4 + 2 * 16 * kGroupBytes;
  // Where x has a ring beside that of the rows, for a chunk of all warps.
  static constexpr int kXBytes = kChunk * 8 * ColumnTiles * 2,
                       kSumBytes = kQuantized ? kUnits * 8 * ColumnTiles * 4 : 0,
                       kWideStageBytes = kWarps * kStageBytes + kXBytes + kSumBytes;
  static constexpr int kStages = kWarpgroups       ? (208 << 10) / (kWideStageBytes + 8)
                                 : Bits == 16      ? 4
                                 : ColumnTiles > 1 ? (Bits == 2 ? 3 : 2)
                                 : Bits <= 4       ? 4
                                                   : 3;
  static constexpr int kRingBytes = kWarps * kStages * kStageBytes,
                       kWideBytes =
                           kStages * (kWideStageBytes + (kWarpgroups ? 8 : 0));  // a barrier
  // Tokens as laid out: a power of two up to 8, else all tiles.
  __host__ __device__ static constexpr int padded_tokens(int tokens) {
    return ColumnTiles > 1 ? 8 * ColumnTiles : tokens <= 2 ? tokens : tokens <= 4 ? 4 : 8;
  }
  // Floats of one set of sums that the warps along K share.
  __host__ __device__ static constexpr int reduce_floats(int padded) {
    return WarpsAlongK > 1 ? kWarps * 16 * padded : 0;
  }
  __host__ static constexpr size_t shared_bytes(int tokens, int columns) {
    const size_t padded = static_cast<size_t>(padded_tokens(tokens));
    return kRingBytes + 2 * reduce_floats(padded_tokens(tokens)) * 4 + padded * columns * 2 +
           (kQuantized ? padded * (columns / kUnit) * 4 : 0) + padded * 4;
  }
};

// For more than 8 tokens: 192 rows a block, which divides the rows of the usual models evenly.
template <int Bits, int Unit, int ColumnTiles>
using WarpgroupShape = ProductShape<Bits, Unit, ColumnTiles, 1, 3>;

// One token. Unit: columns that share a scale, 64 or 32 (groups of 128 are two). Ring: KiB of all
// warps' copies of weights.
template <int Bits_, int Unit_, int Ring_ = 144>
struct TokenShape {
  static constexpr int Bits = Bits_, kUnit = Unit_;
  static constexpr bool kQuantized = Bits < 16;
  static constexpr int kWarps = 8, kThreads = kWarps * kWarp;
  // Columns that a warp multiplies at a time.
  static constexpr int kTile = kQuantized ? 4 * kUnit : 64;
  static constexpr int kWords = kTile / 4 * Bits / 32;  // of a lane and row
  static constexpr int kRowBytes = kTile * Bits / 8;
  static constexpr int kPieceWords = kWords % 2 == 0 ? 4 : 2;  // that a lane reads at a time
  static constexpr int kTileBytes = 16 * (kRowBytes + (kQuantized ? 16 : 0));  // tiles.cuh
  static constexpr int kStages = (Ring_ << 10) / (kWarps * kTileBytes);
  static constexpr int kRingBytes = kWarps * kStages * kTileBytes;
  static constexpr int kXBytes = (kQuantized ? 2 : 4) * kTile;  // two parts of each number
  static constexpr int kTileGroups = kQuantized ? 4 : 0;
  static constexpr int kBatch = 4;  // row tiles whose sums are added at a time
  static constexpr int kSumFloats = kBatch * kWarps * 16;
  __host__ static constexpr size_t shared_bytes(int columns) {
    const size_t tiles = static_cast<size_t>(columns) / kTile;
    return kRingBytes + (tiles + 1) * kXBytes + tiles * kTileGroups * sizeof(float) * 2 +
           (2 * kSumFloats + 2 * kWarps) * 4;
  }
};

constexpr int kHeadDim = 128, kMostRows = 8;  // query heads that share a key head

// Of one layer and sequence: (key heads, capacity, kHeadDim).
struct LayerCache {
  bf16 *keys, *values;
  int capacity, unused;
};

struct AttentionArguments {
  const bf16* projected;  // (tokens, queries, keys, values of all heads): one token a sequence
  const bf16 *query_norm, *key_norm;
  const float2* turns;          // (tokens, kHeadDim / 2): cosine and sine
  const LayerCache* caches;     // (tokens)
  const int* lengths;           // (tokens): what the caches hold before this token
  bf16* out;                    // (tokens, heads, kHeadDim)
  float* partial;               // (tokens, key heads, splits, kMostRows, kHeadDim + 4)
  uint32_t* arrived;            // (tokens, key heads): zeros
  int key_heads, rows, splits;  // at most 32 splits
  float scale, epsilon;
};

constexpr int kAttentionWarps = 8;
constexpr int kSharedState = kHeadDim + 16;  // floats
constexpr unsigned attention_shared_bytes(int rows) {
  return static_cast<unsigned>(kAttentionWarps * rows * kSharedState) * 4;
}
// The same as a part of a step, a warp: 16 keys and values, then its results.
constexpr int kAttentionWarpBytes = 32 * (2 * kHeadDim + 16);
constexpr int kAttentionPartBytes = kAttentionWarps * kAttentionWarpBytes;
static_assert(kAttentionWarpBytes >= kMostRows * kSharedState * 4);

// A product of a step of one token, and the attention over its result where there are key heads.
struct alignas(16) StepStage {
  ProductArguments product;
  AttentionArguments attention;
};
struct StepArguments {
  const StepStage* stages;
  int count, columns;  // the most of a product
};

// Shared memory before that of the products. Copies of weights run at most as many products ahead
// as their ring has stages; stages are copied so far ahead of them that a barrier lies between.
template <class Shape>
struct StepShared {
  static constexpr int kAhead = 2 * Shape::kStages + 2, kStages = 2 * kAhead;
  StepStage stages[kStages];
  bf16 turned[kMostRows][kHeadDim];
  alignas(16) char keys[kAttentionPartBytes];
};

// One step's products: what leaves room for the keys, and for x where it is `Wide`.
template <int Bits, int Unit, bool Wide>
using StepShape = TokenShape<Bits, Unit,
                             Bits == 8 ? 110
                             : Wide    ? 84
                                       : 105>;
template <class Shape>
constexpr size_t step_shared_bytes(int columns) {
  return sizeof(StepShared<Shape>) + Shape::shared_bytes(columns);
}

// Of the kernel that arranges a product's weights for those of one token.
struct TileArguments {
  ProductArguments product;
  uint32_t* out;
};

struct EmbedArguments {
  const uint32_t* weight;  // (vocabulary, columns), packed or bf16 (bits 16)
  const bf16 *scales, *biases;
  const int* ids;            // (tokens)
  const int* positions;      // (tokens)
  const float* frequencies;  // (turns)
  bf16* out;                 // (tokens, columns)
  float2* turns;             // (tokens, turns)
  int columns, bits, group, turn_count;
  float turned_length;
};

struct GreedyArguments {
  const float* logits;       // (tokens, vocabulary)
  float2* partial;           // (tokens, blocks): value, bits of the index
  uint32_t* arrived;         // (tokens): zeros
  int* ids;                  // (tokens)
  int *positions, *lengths;  // (tokens): one more after each step
  int* history;              // (kHistory, tokens) in the host's memory
  int* step;                 // (tokens): steps so far
  int vocabulary, advance;
};
constexpr int kHistory = 8, kGreedyBlocks = 32, kGreedyThreads = 256;

}  // namespace prismvid::cuda
