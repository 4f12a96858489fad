#pragma once
// x of a product of one token, in shared memory as the matrix unit multiplies it
// (token_products.cuh says how). Each warp prepares what it multiplies itself.
#include "bytes.cuh"

namespace prismvid::cuda {

// The tiles that a warp multiplies and the row tiles of its block.
struct TileRange {
  int first, end, row_tiles;
  bool idle;  // fewer tiles than warps: multiplies one by zeros
};

// A lane's part of x for a tile.
template <class Shape>
struct XPart {
  static constexpr int kPairs = Shape::kQuantized ? Shape::kUnit / 16 : Shape::kWords / 4;
  uint4 pairs[kPairs];
  float2 group;
};

template <class Shape>
class TokenInput {
  using Packing = BytePacking<Shape::kQuantized ? Shape::Bits : 8>;
  static constexpr int kPiece = Packing::kPiece;       // of x, for a lane
  static constexpr int kRounds = kPiece > 16 ? 2 : 3;  // pieces that it loads at once

 public:
  __device__ TokenInput(char* shared, int columns)
      : lane_(threadIdx.x % kWarp),
        zeros_(shared),
        x_(shared + Shape::kXBytes),
        groups_(reinterpret_cast<float2*>(x_ + columns / Shape::kTile * Shape::kXBytes)) {}
  // What lies behind.
  __device__ char* end(int columns) const {
    return reinterpret_cast<char*>(groups_ + columns / Shape::kTile * Shape::kTileGroups);
  }

  // By all threads, before a barrier.
  __device__ void clear_zeros() const {
    for (int i = threadIdx.x; i < Shape::kXBytes / 4; i += Shape::kThreads)
      reinterpret_cast<uint32_t*>(zeros_)[i] = 0;
  }

  // Waits for x of this warp's tiles and puts it in two parts each, whose sum is x times the norm.
  // Its length is left to the end, so that x is read once. The sum of this warp's squares where
  // there is a norm.
  __device__ float load(const ProductArguments& a, const TileRange& own) const {
    return a.norm ? load_tiles<true>(a, own) : load_tiles<false>(a, own);
  }

  // Zeros where the column of the matrix unit is of other lanes.
  __device__ XPart<Shape> part(const TileRange& own, int column) const {
    const int g = lane_ / 4, t = lane_ % 4;
    const bool mine = !own.idle && (Shape::kQuantized ? g / 2 == t : g < 2);
    const char* x =
        x_ + column * Shape::kXBytes + (Shape::kQuantized ? g * 16 : g * Shape::kTile * 2 + t * 32);
    XPart<Shape> result;
#pragma unroll
    for (int i = 0; i < XPart<Shape>::kPairs; ++i)
      result.pairs[i] =
          *reinterpret_cast<const uint4*>((mine ? x : zeros_) + i * (Shape::kQuantized ? 128 : 16));
    result.group = own.idle ? make_float2(0, 0) : groups_[column * 4 + t];
    return result;
  }

 private:
  template <bool Norm>
  __device__ float load_tiles(const ProductArguments& a, const TileRange& own) const {
    constexpr int in_tile = Shape::kTile / kPiece;
    const int first = own.first * in_tile, pieces = own.idle ? 0 : (own.end - own.first) * in_tile;
    float square = 0;
    if (own.idle) wait_for_x(a, 0);
    constexpr int most = Norm ? 1 : kRounds;  // what registers suffice for
    for (int base = 0; base < pieces; base += most * kWarp)
      square += pieces - base > kWarp
                    ? load_pieces<Norm, most>(a, first + base, first + pieces, base == 0)
                    : load_pieces<Norm, 1>(a, first + base, first + pieces, base == 0);
    if constexpr (Norm)
#pragma unroll
      for (int step = 16; step > 0; step /= 2) square += __shfl_xor_sync(~0u, square, step);
    return square;
  }

  // One piece a lane and round, before `end`. The rounds go step by step together, since each is a
  // chain of latencies. The sum of squares of x alone where there is a norm.
  template <bool Norm, int Rounds>
  __device__ float load_pieces(const ProductArguments& a, int first, int end, bool wait) const {
    uint4 x[Rounds][kPiece / 8], norm[Rounds][kPiece / 8];
    if constexpr (Norm) read_pieces(a.norm, false, first, end - 1, norm);
    if (wait) wait_for_x(a, first);
    read_pieces(a.x, a.x_tells, first, end - 1, x);
    float values[Rounds][kPiece], square = 0;
    Group groups[Rounds];
#pragma unroll
    for (int i = 0; i < Rounds; ++i) {
      const float of_piece = widen<Norm>(x[i], norm[i], values[i]);
      if (first + i * kWarp + lane_ < end) square += of_piece;
      groups[i] = group_of(values[i]);
    }
    constexpr int lanes = Shape::kUnit / kPiece;
#pragma unroll
    for (int step = 1; step < lanes; step *= 2)
#pragma unroll
      for (Group& group : groups) {
        group.largest = fmaxf(group.largest, __shfl_xor_sync(~0u, group.largest, step));
        group.sum += __shfl_xor_sync(~0u, group.sum, step);
      }
#pragma unroll
    for (int i = 0; i < Rounds; ++i) {
      const int index = first + i * kWarp + lane_;
      if (index < end) put_parts(values[i], groups[i], index);
    }
    return square;
  }

  // Of the numbers that share a scale.
  struct Group {
    float largest, sum;
  };
  __device__ static Group group_of(const float (&values)[kPiece]) {
    float largest[2] = {}, sum[2] = {};  // in two chains
#pragma unroll
    for (int i = 0; i < kPiece; ++i) {
      largest[i % 2] = fmaxf(largest[i % 2], fabsf(values[i]));
      sum[i % 2] += values[i];
    }
    return {fmaxf(largest[0], largest[1]), sum[0] + sum[1]};
  }

  __device__ void put_parts(const float (&values)[kPiece], const Group& group, int index) const {
    if constexpr (!Shape::kQuantized) {
      put_halves(values, index);
      return;
    }
    constexpr int lanes = Shape::kUnit / kPiece;
    constexpr float most = 127 * 256, least = 1e-30f;
    const int unit = index / lanes;
    char* to = x_ + unit / 4 * Shape::kXBytes + index % lanes * (kPiece * 8) + unit % 4 * 32;
    put_limbs(values, group.largest > least ? __fdividef(most, group.largest) : 0, to);
    if (index % lanes == 0)
      groups_[unit] = {group.largest * (1 / (Packing::kTimes * most)), group.sum};
  }

  // As bf16 and what is left, as bf16: (tile, part, column).
  __device__ void put_halves(const float (&values)[kPiece], int index) const {
    char* to = x_ + index / 4 * Shape::kXBytes + index % 4 * 32;
#pragma unroll
    for (int i = 0; i < kPiece / 8; ++i) {
      uint32_t rounded[4], rest[4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float low = values[i * 8 + 2 * j], high = values[i * 8 + 2 * j + 1];
        rounded[j] = pack(low, high);
        rest[j] = pack(low - low_half(rounded[j]), high - high_half(rounded[j]));
      }
      auto* out = reinterpret_cast<uint4*>(to) + i;
      out[0] = make_uint4(rounded[0], rounded[1], rounded[2], rounded[3]);
      out[Shape::kTile / 8] = make_uint4(rest[0], rest[1], rest[2], rest[3]);
    }
  }

  // One lane looks whether the first of this warp's x is there, so that not all of them load it
  // again and again.
  __device__ void wait_for_x(const ProductArguments& a, int piece) const {
    if (!a.x_tells) {
      wait_for_previous_kernel();
      return;
    }
    const auto* from = reinterpret_cast<const uint32_t*>(a.x + piece * kPiece);
    if (lane_ == 0)
      while (load_coherent(from) == kUnwritten) {
      }
    __syncwarp();
  }

  // A lane's pieces, each a warp further; past the last the last.
  template <int Rounds>
  __device__ void read_pieces(const bf16* all, bool tells, int first, int last,
                              uint4 (&to)[Rounds][kPiece / 8]) const {
    bool missing;
    do {
      missing = false;
#pragma unroll
      for (int round = 0; round < Rounds; ++round) {
        const int index = min(first + round * kWarp + lane_, last);
        const auto* from = reinterpret_cast<const uint4*>(all + index * kPiece);
#pragma unroll
        for (int i = 0; i < kPiece / 8; ++i) to[round][i] = load_coherent(from + i);
      }
      if (tells)
#pragma unroll
        for (int round = 0; round < Rounds; ++round)
#pragma unroll
          for (const uint4& four : to[round])
            missing |= max(max(four.x, four.y), max(four.z, four.w)) == kUnwritten;
    } while (__any_sync(~0u, missing));  // together: lanes that part shuffle many times slower
  }

  // The sum of squares of x alone where there is a norm.
  template <bool Norm>
  __device__ static float widen(const uint4 (&x)[kPiece / 8], const uint4 (&norm)[kPiece / 8],
                                float (&values)[kPiece]) {
    float squares[2] = {};
#pragma unroll
    for (int i = 0; i < kPiece / 8; ++i) {
      const uint32_t pairs[4] = {x[i].x, x[i].y, x[i].z, x[i].w},
                     norms[4] = {norm[i].x, norm[i].y, norm[i].z, norm[i].w};
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const float value = half_of(pairs[j / 2], j % 2);
        if constexpr (Norm) squares[j % 2] += value * value;
        values[i * 8 + j] = Norm ? value * half_of(norms[j / 2], j % 2) : value;
      }
    }
    return squares[0] + squares[1];
  }

  __device__ static void put_limbs(const float (&values)[kPiece], float factor, char* to) {
#pragma unroll
    for (int quad = 0; quad < kPiece / 16; ++quad) {
      const SplitBytes bytes = split_to_bytes<Shape::Bits>(values, quad, factor);
      auto* out = reinterpret_cast<uint4*>(to + quad * 128);
      out[0] = bytes.upper, out[1] = bytes.lower;
    }
  }

  int lane_;
  char *zeros_, *x_;
  float2* groups_;
};

}  // namespace prismvid::cuda
