#pragma once
// y = x W^T for one token: bound by reading W once. Packed: x becomes 16-bit numbers relative to
// the largest of its group, as two signed bytes, so that the integer matrix unit multiplies
// exactly. W is its 16-row operand, which each warp copies through a ring of its own; the four
// lanes that share a row own a group each, and the eight columns of the other operand are (group,
// byte): each is zero for the lanes of other groups, so the sums of four groups come apart by
// themselves. bf16: x is two bf16, two of the columns.
#include "bytes.cuh"
#include "product_rows.cuh"

namespace prismvid::cuda {

// The products of `Source` one behind the other: weights of the next are copied while one is
// multiplied. Each has as many row tiles as there are blocks or more. Source: count(), product(i),
// begin(i) and end(i), which all threads call around it.
template <class Shape, class Source>
class TokenProducts {
  using Packing = BytePacking<Shape::kQuantized ? Shape::Bits : 8>;
  static constexpr int kPiece = Packing::kPiece;       // of x, for a lane
  static constexpr int kRounds = kPiece > 16 ? 2 : 3;  // pieces that it loads at once
  static constexpr uint32_t kOnes = 0x3f803f80u;       // a pair of bf16

 public:
  // `columns`: the most of a product.
  __device__ TokenProducts(Source& source, int columns, char* shared)
      : source_(source), lane_(threadIdx.x % kWarp), warp_(threadIdx.x / kWarp) {
    const int tiles = columns / Shape::kTile;
    ring_ = shared_address(shared) + warp_ * Shape::kStages * Shape::kStageBytes;
    zeros_ = shared + Shape::kRingBytes;
    x_ = zeros_ + Shape::kXBytes;
    groups_ = reinterpret_cast<float2*>(x_ + tiles * Shape::kXBytes);
    sums_ = reinterpret_cast<float*>(groups_ + tiles * Shape::kTileGroups);
    squares_ = sums_ + 2 * Shape::kSumFloats;
  }

  __device__ void run() {
    quarters_ = Shape::kUnit == 64 && source_.product(0).group == 128 ? 2 : 4;
    place_lane();
    open(0);
#pragma unroll 1
    for (int i = 0; i < Shape::kStages; ++i) take_tile();
    for (int i = threadIdx.x; i < Shape::kXBytes / 4; i += Shape::kThreads)
      reinterpret_cast<uint32_t*>(zeros_)[i] = 0;
    __syncthreads();
    for (int i = 0; i < source_.count(); ++i) {
      source_.begin(i);
      const Range own = range(source_.product(i));
      multiply(source_.product(i), own, i);
      // Whether what begin() has copied is older than all stages of the ring.
      source_.end(i, own.row_tiles * (own.end - own.first) >= Shape::kStages);
    }
    wait_for_copies<0>();
  }

 private:
  // The tiles that this warp multiplies and the row tiles of this block.
  struct Range {
    int first, end, row_tiles;
    bool idle;  // fewer tiles than warps: multiplies one by zeros
  };
  __device__ Range range(const ProductArguments& a) const {
    const int tiles = a.columns / Shape::kTile, rows = (a.packed_rows() + 15) / 16;
    const int first = tiles * warp_ / Shape::kWarps, end = tiles * (warp_ + 1) / Shape::kWarps,
              row_tiles = (rows - static_cast<int>(blockIdx.x) + gridDim.x - 1) / gridDim.x;
    if (first == end) return {0, 1, row_tiles, true};
    return {first, end, row_tiles, false};
  }

  __device__ void multiply(const ProductArguments& a, const Range& own, int index) {
    float* squares = squares_ + index % 2 * Shape::kWarps;
    load_x(a, own, squares);
    __syncwarp();
    uint32_t residual = warp_ == 0 ? load_residual(a, 0) : 0;
    const int g = lane_ / 4, t = lane_ % 4;
    const bool mine = !own.idle && (Shape::kQuantized ? g / 2 == t : g < 2);
    const char* x =
        mine ? x_ + (Shape::kQuantized ? g * 16 : g * Shape::kTile * 2 + t * 32) : zeros_;
    const int x_step = mine ? Shape::kXBytes : 0, group_step = own.idle ? 0 : 4;
    const float2* groups = own.idle ? reinterpret_cast<const float2*>(zeros_) : groups_ + t;
    for (int row_tile = 0; row_tile < own.row_tiles; ++row_tile) {
      float total[2] = {};
      for (int column = own.first; column < own.end; ++column) {
        wait_for_copies<Shape::kStages - 1>();
        __syncwarp();
        const Tile tile = read_tile(used_ * Shape::kStageBytes);
        __syncwarp();
        take_tile();
        multiply_tile(tile, x + column * x_step, groups + column * group_step, total);
      }
      const int slot = row_tile % Shape::kBatch;
      float* sums = sums_ + batch_ * Shape::kSumFloats;
      put_sums(sums, slot, total);
      if (slot + 1 < Shape::kBatch && row_tile + 1 < own.row_tiles) continue;
      __syncthreads();
      batch_ ^= 1;  // so one barrier is enough
      if (row_tile == slot) clear(a);
      if (warp_ == 0) write_results(a, sums, squares, row_tile - slot, slot + 1, own, residual);
    }
  }

  // Fetches another to where the oldest tile was.
  __device__ void take_tile() {
    fetch();
    used_ = used_ + 1 == Shape::kStages ? 0 : used_ + 1;
  }

  // All of x has been there.
  __device__ void clear(const ProductArguments& a) const {
    if (warp_ != Shape::kWarps - 1) return;
    for (int i = blockIdx.x * kWarp + lane_; i < a.clear_count; i += gridDim.x * kWarp)
      a.clear[i] = make_uint4(kUnwritten, kUnwritten, kUnwritten, kUnwritten);
  }

  __device__ int packed_row(int row_tile) const {
    return (static_cast<int>(blockIdx.x) + row_tile * static_cast<int>(gridDim.x)) * 16;
  }

  // Where this lane copies to and reads from in the first stage of the ring.
  __device__ void place_lane() {
    const int copy = lane_ % 16, g = lane_ / 4, t = lane_ % 4;
    const uint32_t scales = ring_ + 16 * Shape::kRowStride;
    copy_to_ = keep(ring_ + (lane_ / 16 * 8 + copy / Shape::kPieces) * Shape::kRowStride +
                    copy % Shape::kPieces * 16);
    copy_groups_to_ = keep(scales + lane_ * 8);
    words_from_ = keep(ring_ + g * Shape::kRowStride + t * (Shape::kWords * 4));
    scales_from_ = keep(scales + g * 8 + (quarters_ == 2 ? t / 2 : t) * 2);
  }

  // To product `index` if there is one.
  __device__ void open(int index) {
    fetched_ = index;
    if (index == source_.count()) return;
    fetch_ = range(source_.product(index));
    fetch_row_ = 0;
    fetch_column_ = fetch_.first;
    point(source_.product(index));
  }

  // To the rows of the row tile to fetch from. Half of the lanes copy rows 0 to 8, half the others.
  __device__ void point(const ProductArguments& a) {
    const int packed = packed_row(fetch_row_), copy = lane_ % 16;
    const Rows rows = find_rows(a, packed, lane_ / 16);
    const int last = max(rows.count, 1) - 1, row_bytes = a.columns / 8 * Shape::Bits;
    const int first = rows.first + min(rows.count - 1, 0);  // past the end: the last row
    weights_ = reinterpret_cast<const char*>(rows.matrix->weight) +
               static_cast<size_t>(first) * row_bytes + fetch_.first * Shape::kRowBytes;
#pragma unroll
    for (int i = 0; i < Shape::kCopies; ++i) {
      const int index = i * 16 + copy;
      offsets_[i] = min(index / Shape::kPieces, last) * row_bytes + index % Shape::kPieces * 16;
    }
    // Where the same matrix has all rows of the next row tile, it is a step further.
    int end = a.packed_rows();
    if (a.join == Join::kBelow && packed < a.first_row[2])
      end = packed < a.first_row[1] ? a.first_row[1] : a.first_row[2];
    steps_ = (end - packed) / 16 > 0 ? ((end - packed) / 16 - 1) / static_cast<int>(gridDim.x) : 0;
    const int step = static_cast<int>(gridDim.x) * (a.join == Join::kGated ? 8 : 16),
              columns = fetch_.end - fetch_.first;
    weights_step_ = static_cast<int64_t>(step) * row_bytes - columns * Shape::kRowBytes;
    if constexpr (Shape::kQuantized) {
      const int row_groups = a.columns / a.group;
      groups_from_ = (copy < 8 ? rows.matrix->scales : rows.matrix->biases) +
                     static_cast<size_t>(first + min(copy % 8, last)) * row_groups +
                     fetch_.first * quarters_;
      groups_step_ = step * row_groups - columns * quarters_;
    }
  }

  // The next tile of this warp, which may be of a later product, into stage `used_` of the ring.
  __device__ void fetch() {
    if (fetched_ < source_.count()) {
      fetch_tile(used_ * Shape::kStageBytes);
      if (++fetch_column_ == fetch_.end) next_row_tile();
    }
    commit_copies();
  }
  __device__ void next_row_tile() {
    fetch_column_ = fetch_.first;
    if (++fetch_row_ == fetch_.row_tiles)
      open(fetched_ + 1);
    else if (--steps_ >= 0)
      weights_ += weights_step_, groups_from_ += groups_step_;
    else
      point(source_.product(fetched_));
  }

  __device__ void fetch_tile(uint32_t stage) {
#pragma unroll
    for (int i = 0; i < Shape::kCopies; ++i)
      if (Shape::kPieces % 2 == 0 || i * 16 + lane_ % 16 < 8 * Shape::kPieces)
        copy_async<16>(stage + copy_to_ + i * Shape::kCopyStride, weights_ + offsets_[i]);
    weights_ += Shape::kRowBytes;
    if constexpr (Shape::kQuantized) {
      if (quarters_ == 2)
        copy_async<4>(copy_groups_to_ + stage, groups_from_);
      else
        copy_async<8>(copy_groups_to_ + stage, groups_from_);
      groups_from_ += quarters_;
    }
  }

  // x of this warp's tiles, in two parts each, whose sum is x times the norm. Its length is left to
  // the end, so that x is read once.
  __device__ void load_x(const ProductArguments& a, const Range& own, float* all_squares) {
    constexpr int in_tile = Shape::kTile / kPiece;
    const int first = own.first * in_tile, pieces = own.idle ? 0 : (own.end - own.first) * in_tile;
    float squares = 0;
    if (own.idle) wait_for_x(a, 0);
    for (int base = 0; base < pieces; base += kRounds * kWarp) {
      uint4 x[kRounds][kPiece / 8], norm[kRounds][kPiece / 8];
      load_pieces(a.norm, false, first + base, first + pieces - 1, norm);
      if (base == 0) wait_for_x(a, first);
      load_pieces(a.x, a.x_tells, first + base, first + pieces - 1, x);
#pragma unroll
      for (int round = 0; round < kRounds; ++round) {
        const int index = base + round * kWarp + lane_;
        if (base + round * kWarp >= pieces) break;
        float values[kPiece], square = 0;
        multiply_by_norm(x[round], norm[round], values, square);
        if (index < pieces) squares += square;
        put_parts(values, first + index, index < pieces);
      }
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) squares += __shfl_xor_sync(~0u, squares, step);
    if (lane_ == 0) all_squares[warp_] = squares;
  }

  // For a whole warp; only `valid` lanes write.
  __device__ void put_parts(const float (&values)[kPiece], int index, bool valid) {
    if constexpr (!Shape::kQuantized) {
      if (valid) put_halves(values, index);
      return;
    }
    constexpr int lanes = Shape::kUnit / kPiece;
    float largest = 0, sum = 0;
#pragma unroll
    for (const float value : values) largest = fmaxf(largest, fabsf(value)), sum += value;
#pragma unroll
    for (int step = 1; step < lanes; step *= 2) {
      largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
      sum += __shfl_xor_sync(~0u, sum, step);
    }
    if (!valid) return;
    constexpr float most = 127 * 256, least = 1e-30f;
    const int group = index / lanes;
    char* to = x_ + group / 4 * Shape::kXBytes + index % lanes * (kPiece * 8) + group % 4 * 32;
    put_limbs(values, largest > least ? __fdividef(most, largest) : 0, to);
    if (index % lanes == 0) groups_[group] = {largest * (1 / (Packing::kTimes * most)), sum};
  }

  // As bf16 and what is left, as bf16: (tile, part, column).
  __device__ void put_halves(const float (&values)[kPiece], int index) {
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
  __device__ void load_pieces(const bf16* all, bool tells, int first, int last,
                              uint4 (&to)[kRounds][kPiece / 8]) const {
    bool missing;
#pragma unroll
    for (auto& round : to)
#pragma unroll
      for (uint4& four : round) four = make_uint4(kOnes, kOnes, kOnes, kOnes);
    if (!all) return;
    do {
      missing = false;
#pragma unroll
      for (int round = 0; round < kRounds; ++round) {
        if (first + round * kWarp > last) break;
        const int index = min(first + round * kWarp + lane_, last);
        const auto* from = reinterpret_cast<const uint4*>(all + index * kPiece);
#pragma unroll
        for (int i = 0; i < kPiece / 8; ++i) to[round][i] = load_coherent(from + i);
      }
      if (tells)
#pragma unroll
        for (int round = 0; round < kRounds; ++round)
#pragma unroll
          for (const uint4& four : to[round])
            missing |= max(max(four.x, four.y), max(four.z, four.w)) == kUnwritten;
    } while (missing);
  }

  // `square`: of x alone.
  __device__ static void multiply_by_norm(const uint4 (&x)[kPiece / 8],
                                          const uint4 (&norm)[kPiece / 8], float (&values)[kPiece],
                                          float& square) {
#pragma unroll
    for (int i = 0; i < kPiece / 8; ++i) {
      const uint32_t pairs[4] = {x[i].x, x[i].y, x[i].z, x[i].w},
                     norms[4] = {norm[i].x, norm[i].y, norm[i].z, norm[i].w};
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const float value = half_of(pairs[j / 2], j % 2);
        square += value * value;
        values[i * 8 + j] = value * half_of(norms[j / 2], j % 2);
      }
    }
  }

  __device__ static void put_limbs(const float (&values)[kPiece], float factor, char* to) {
#pragma unroll
    for (int quad = 0; quad < kPiece / 16; ++quad) {
      const SplitBytes bytes = split_to_bytes<Shape::Bits>(values, quad, factor);
      auto* out = reinterpret_cast<uint4*>(to + quad * 128);
      out[0] = bytes.upper, out[1] = bytes.lower;
    }
  }

  struct Tile {
    uint32_t words[2][Shape::kWords];  // rows g and g + 8
    float scales[2], biases[2];
  };
  __device__ Tile read_tile(uint32_t stage) const {
    Tile tile;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const uint32_t scales = scales_from_ + stage + half * 128;
      load_shared(words_from_ + stage + half * 8 * Shape::kRowStride, tile.words[half]);
      if constexpr (Shape::kQuantized) {
        tile.scales[half] = load_shared_value(scales);
        tile.biases[half] = load_shared_value(scales + 64);
      }
    }
    return tile;
  }

  __device__ static void multiply_tile(const Tile& tile, const char* x, const float2* groups,
                                       float (&total)[2]) {
    if constexpr (Shape::kQuantized)
      multiply_bytes(tile, x, *groups, total);
    else
      multiply_halves(tile, x, total);
  }

  __device__ static void multiply_bytes(const Tile& tile, const char* x, float2 group,
                                        float (&total)[2]) {
    uint32_t low[Shape::kUnit / 4], high[Shape::kUnit / 4];
    unpack_to_bytes<Shape::Bits>(tile.words[0], low);
    unpack_to_bytes<Shape::Bits>(tile.words[1], high);
    int sums[2][4] = {};  // rows g and g + 8: upper, lower bytes of x
#pragma unroll
    for (int i = 0; i < Shape::kUnit / 4; i += 4) {
      const uint4 b = *reinterpret_cast<const uint4*>(x + i * 32);
      multiply_add(sums[0], low[i], high[i], low[i + 1], high[i + 1], b.x, b.y);
      multiply_add(sums[1], low[i + 2], high[i + 2], low[i + 3], high[i + 3], b.z, b.w);
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int upper = sums[0][half * 2] * Packing::kTimes + sums[1][half * 2],
                lower = sums[0][half * 2 + 1] * Packing::kTimes + sums[1][half * 2 + 1];
      const float sum = static_cast<float>(upper * 256 + lower);
      total[half] += sum * (tile.scales[half] * group.x);
      total[half] += tile.biases[half] * group.y;
    }
  }

  __device__ static void multiply_halves(const Tile& tile, const char* x, float (&total)[2]) {
    float sums[2][4] = {};  // rows g and g + 8: parts of x in two columns, the others zero
#pragma unroll
    for (int i = 0; i < Shape::kWords; i += 4) {
      const uint4 b = *reinterpret_cast<const uint4*>(x + i * 4);
      const auto &low = tile.words[0], &high = tile.words[1];
      multiply_add(sums[0], low[i], high[i], low[i + 1], high[i + 1], b.x, b.y);
      multiply_add(sums[1], low[i + 2], high[i + 2], low[i + 3], high[i + 3], b.z, b.w);
    }
#pragma unroll
    for (int half = 0; half < 2; ++half)
      total[half] +=
          (sums[0][half * 2] + sums[0][half * 2 + 1]) + (sums[1][half * 2] + sums[1][half * 2 + 1]);
  }

  // Where the results of this lane of the first warp go: rows `row` and `row` + 1.
  __device__ int result_row(const ProductArguments& a, int first_row_tile) const {
    const int packed = packed_row(first_row_tile + lane_ / 8) + lane_ % 8;
    if (a.join == Join::kGated) return packed / 16 * 8 + packed % 8;
    return lane_ % 2 ? packed + 7 : packed;
  }
  __device__ uint32_t load_residual(const ProductArguments& a, int row_tile) const {
    return residual_pair(a, result_row(a, row_tile));
  }

  // This warp's part of a row tile.
  __device__ void put_sums(float* sums, int slot, const float (&total)[2]) const {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = total[half];
      sum += __shfl_xor_sync(~0u, sum, 1);
      sum += __shfl_xor_sync(~0u, sum, 2);
      if (lane_ % 4 == 0) sums[(slot * Shape::kWarps + warp_) * 16 + half * 8 + lane_ / 4] = sum;
    }
  }

  // Of `count` row tiles. For the first warp.
  __device__ void write_results(const ProductArguments& a, const float* sums,
                                const float* all_squares, int first_row_tile, int count,
                                const Range& own, uint32_t& residual) const {
    static_assert(Shape::kBatch * 8 == kWarp);
    const float* from = sums + lane_ / 8 * Shape::kWarps * 16 + lane_ % 8;
    float sum[2] = {}, squares = 0;
#pragma unroll
    for (int w = 0; w < Shape::kWarps; ++w) sum[0] += from[w * 16], sum[1] += from[w * 16 + 8];
    if (a.norm) {
#pragma unroll
      for (int w = 0; w < Shape::kWarps; ++w) squares += all_squares[w];
      const float length = rsqrtf(squares / a.columns + a.epsilon);
      sum[0] *= length, sum[1] *= length;
    }
    // Lanes trade, so that each has two rows that follow each other.
    const bool odd = lane_ % 2, gated = a.join == Join::kGated;
    if (gated) sum[0] = sum[1] = sum[0] / (1 + __expf(-sum[0])) * sum[1];
    const float other = __shfl_xor_sync(~0u, sum[odd ? 0 : 1], 1);
    if (lane_ < count * 8 && !(gated && odd))
      write_pair(a, result_row(a, first_row_tile), odd ? other : sum[0], odd ? sum[1] : other,
                 residual);
    if (first_row_tile + Shape::kBatch < own.row_tiles)
      residual = load_residual(a, first_row_tile + Shape::kBatch);
  }

  Source& source_;
  int lane_, warp_, quarters_;  // groups of a row of a tile
  uint32_t ring_;
  char *zeros_, *x_;
  float2* groups_;
  float *sums_, *squares_;
  const char* weights_;
  int offsets_[Shape::kCopies];
  const bf16* groups_from_;
  int64_t weights_step_;
  int groups_step_, steps_;
  uint32_t copy_to_, copy_groups_to_, words_from_, scales_from_;
  Range fetch_;
  int fetched_ = 0, fetch_row_ = 0, fetch_column_ = 0, used_ = 0, batch_ = 0;
};

// One product alone.
struct OneProduct {
  const ProductArguments& arguments;  // in constant memory
  __device__ static constexpr int count() { return 1; }
  __device__ const ProductArguments& product(int) const { return arguments; }
  __device__ static void begin(int) {}
  __device__ static void end(int, bool) {}
};

template <class Shape>
__device__ void multiply_token(const ProductArguments& arguments, char* shared) {
  let_next_kernel_start();
  OneProduct source{arguments};
  TokenProducts<Shape, OneProduct>(source, arguments.columns, shared).run();
}

}  // namespace prismvid::cuda
