#pragma once
// y = x W^T for one token: bound by reading W once. Packed: x becomes 16-bit numbers relative to
// the largest of its group, as two signed bytes, so that the integer matrix unit multiplies
// exactly. W is its 16-row operand, tiles (tiles.cuh) which each warp copies through a ring of its
// own; the four lanes that share a row own a group each, and the eight columns of the other operand
// are (group, byte): each is zero for the lanes of other groups, so the sums of four groups come
// apart by themselves. bf16: x is two bf16, two of the columns.
#include "tiles.cuh"
#include "token_input.cuh"

namespace prismvid::cuda {

// The products of `Source` one behind the other: weights of the next are copied while one is
// multiplied. Each has as many row tiles as there are blocks or more. Source: count(), product(i),
// begin(i) and end(i), which all threads call around it.
template <class Shape, class Source>
class TokenProducts {
  using Packing = BytePacking<Shape::kQuantized ? Shape::Bits : 8>;
  // Tiles multiplied at a time, so that one's latencies hide behind another's; with few stages the
  // ring must not be emptied at a time.
  static constexpr int kTogether = Shape::kStages > 3 ? 2 : 1;

 public:
  // `columns`: the most of a product.
  __device__ TokenProducts(Source& source, int columns, char* shared)
      : source_(source),
        count_(source.count()),
        lane_(threadIdx.x % kWarp),
        warp_(threadIdx.x / kWarp),
        block_share_(1.0f / static_cast<float>(gridDim.x)),
        ring_(shared_address(shared) + warp_ * Shape::kStages * Shape::kTileBytes),
        input_(shared + Shape::kRingBytes, columns),
        sums_(reinterpret_cast<float*>(input_.end(columns))),
        squares_(sums_ + 2 * Shape::kSumFloats) {}

  __device__ void run() {
    open(0);
#pragma unroll 1
    for (int i = 0; i < Shape::kStages; ++i) take_tile();
    input_.clear_zeros();
    __syncthreads();
    for (int i = 0; i < count_; ++i) {
      source_.begin(i);
      const TileRange own = range(source_.product(i));
      multiply(source_.product(i), own, i);
      // Whether what begin() has copied is older than all stages of the ring.
      source_.end(i, own.row_tiles * (own.end - own.first) >= Shape::kStages);
    }
    wait_for_copies<0>();
  }

 private:
  __device__ TileRange range(const ProductArguments& a) const {
    const int tiles = a.columns / Shape::kTile, rows = (a.packed_rows() + 15) / 16;
    const int first = tiles * warp_ / Shape::kWarps, end = tiles * (warp_ + 1) / Shape::kWarps;
    // A division of integers would take longer than all else between two products.
    const int left = rows - static_cast<int>(blockIdx.x) + static_cast<int>(gridDim.x) - 1,
              row_tiles = static_cast<int>((static_cast<float>(left) + 0.5f) * block_share_);
    if (first == end) return {0, 1, row_tiles, true};
    return {first, end, row_tiles, false};
  }

  struct Tile {
    uint32_t words[2 * Shape::kWords];  // of row g, then of row g + 8
    uint32_t scales[2];                 // pairs: the rows' scales, their biases
  };

  __device__ void multiply(const ProductArguments& a, const TileRange& own, int index) {
    float* squares = squares_ + index % 2 * Shape::kWarps;
    const float square = input_.load(a, own);
    if (lane_ == 0) squares[warp_] = square;
    __syncwarp();
    const int tiles = own.end - own.first;
    constexpr bool hold = kTogether > 1;
    if (hold && tiles == 1)
      multiply_rows<hold ? 1 : 0>(a, own, squares);
    else if (hold && tiles == 2)
      multiply_rows<hold ? 2 : 0>(a, own, squares);
    else
      multiply_rows<0>(a, own, squares);
  }

  // Of each row tile this warp's tiles: with `Held` of them x stays in registers.
  template <int Held>
  __device__ void multiply_rows(const ProductArguments& a, const TileRange& own,
                                const float* squares) {
    uint32_t residual = load_residual(a, 0);
    XPart<Shape> held[Held > 0 ? Held : 1];
#pragma unroll
    for (int i = 0; i < Held; ++i) held[i] = input_.part(own, own.first + i);
    for (int row_tile = 0; row_tile < own.row_tiles; ++row_tile) {
      float total[2] = {};
      if constexpr (Held > 0) {
        Tile tiles[Held];
        take_tiles(tiles);
#pragma unroll
        for (int i = 0; i < Held; ++i) multiply_tile(tiles[i], held[i], total);
      } else {
        int column = own.first;
        for (; column + kTogether <= own.end; column += kTogether)
          multiply_next<kTogether>(own, column, total);
        for (; column < own.end; ++column) multiply_next<1>(own, column, total);
      }
      const int slot = row_tile % Shape::kBatch;
      float* sums = sums_ + batch_ * Shape::kSumFloats;
      put_sums(sums, slot, total);
      if (slot + 1 < Shape::kBatch && row_tile + 1 < own.row_tiles) continue;
      __syncthreads();
      batch_ ^= 1;  // so one barrier is enough
      if (row_tile == slot) clear(a);
      if (warp_ / 2 <= slot) write_results(a, sums, squares, row_tile - slot, residual);
      if (row_tile + 1 < own.row_tiles) residual = load_residual(a, row_tile + 1);
    }
  }

  template <int Count>
  __device__ void multiply_next(const TileRange& own, int column, float (&total)[2]) {
    Tile tiles[Count];
    take_tiles(tiles);
#pragma unroll
    for (int i = 0; i < Count; ++i) multiply_tile(tiles[i], input_.part(own, column + i), total);
  }

  // The next tiles of the ring, and fetches others in their place.
  template <int Count>
  __device__ void take_tiles(Tile (&tiles)[Count]) {
    static_assert(Count < Shape::kStages);
    wait_for_copies<Shape::kStages - Count>();
    __syncwarp();
#pragma unroll
    for (int i = 0, stage = used_; i < Count; ++i) {
      tiles[i] = read_tile(stage * Shape::kTileBytes);
      stage = stage + 1 == Shape::kStages ? 0 : stage + 1;
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < Count; ++i) take_tile();
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

  // To product `index` if there is one.
  __device__ void open(int index) {
    fetched_ = index;
    tiles_left_ = 0;
    if (index == count_) return;
    const ProductArguments& a = source_.product(index);
    const int tiles = a.columns / Shape::kTile;
    const auto offset = [&](int row_tile, int column) {
      return (static_cast<int64_t>(row_tile) * tiles + column) * Shape::kTileBytes;
    };
    const TileRange own = range(a);
    tiles_left_ = row_tile_size_ = own.end - own.first;
    row_tiles_left_ = own.row_tiles;
    weights_ = a.tiles + offset(static_cast<int>(blockIdx.x), own.first) + lane_ * 16;
    weights_step_ = offset(static_cast<int>(gridDim.x), own.first - own.end);
  }

  // The next tile of this warp, which may be of a later product, into stage `used_` of the ring.
  __device__ void fetch() {
    if (tiles_left_ > 0) {
      fetch_tile(used_ * Shape::kTileBytes);
      if (--tiles_left_ == 0) next_row_tile();
    }
    commit_copies();
  }
  __device__ void next_row_tile() {
    tiles_left_ = row_tile_size_;
    if (--row_tiles_left_ == 0)
      open(fetched_ + 1);
    else
      weights_ += weights_step_;
  }

  __device__ void fetch_tile(uint32_t stage) {
    constexpr int warp_bytes = kWarp * 16, copies = Shape::kTileBytes / warp_bytes,
                  rest = Shape::kTileBytes % warp_bytes / 16;
    const uint32_t to = ring_ + lane_ * 16 + stage;
#pragma unroll
    for (int i = 0; i < copies; ++i) copy_async<16>(to + i * warp_bytes, weights_ + i * warp_bytes);
    if constexpr (rest > 0)
      copy_async_if(lane_ < rest, to + copies * warp_bytes, weights_ + copies * warp_bytes);
    weights_ += Shape::kTileBytes;
  }

  __device__ Tile read_tile(uint32_t stage) const {
    constexpr int width = Shape::kPieceWords;
    Tile tile;
#pragma unroll
    for (int i = 0; i < 2 * Shape::kWords; i += width)
      load_shared(ring_ + stage + (i * kWarp + lane_ * width) * 4,
                  *reinterpret_cast<uint32_t(*)[width]>(tile.words + i));
    if constexpr (Shape::kQuantized)
      load_shared(ring_ + stage + 16 * Shape::kRowBytes + lane_ * 8, tile.scales);
    return tile;
  }

  __device__ static void multiply_tile(const Tile& tile, const XPart<Shape>& x, float (&total)[2]) {
    if constexpr (Shape::kQuantized)
      multiply_bytes(tile, x, total);
    else
      multiply_halves(tile, x, total);
  }

  __device__ static void multiply_bytes(const Tile& tile, const XPart<Shape>& x,
                                        float (&total)[2]) {
    uint32_t low[Shape::kUnit / 4], high[Shape::kUnit / 4];
    unpack_to_bytes<Shape::Bits, Shape::kWords>(tile.words, low);
    unpack_to_bytes<Shape::Bits, Shape::kWords>(tile.words + Shape::kWords, high);
    int sums[2][4] = {};  // rows g and g + 8: upper, lower bytes of x
#pragma unroll
    for (int i = 0; i < Shape::kUnit / 4; i += 4) {
      const uint4 b = x.pairs[i / 4];
      multiply_add(sums[0], low[i], high[i], low[i + 1], high[i + 1], b.x, b.y);
      multiply_add(sums[1], low[i + 2], high[i + 2], low[i + 3], high[i + 3], b.z, b.w);
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int upper = sums[0][half * 2] * Packing::kTimes + sums[1][half * 2],
                lower = sums[0][half * 2 + 1] * Packing::kTimes + sums[1][half * 2 + 1];
      const float sum = static_cast<float>(upper * 256 + lower);
      total[half] += sum * (half_of(tile.scales[0], half) * x.group.x);
      total[half] += half_of(tile.scales[1], half) * x.group.y;
    }
  }

  __device__ static void multiply_halves(const Tile& tile, const XPart<Shape>& x,
                                         float (&total)[2]) {
    float sums[2][4] = {};  // rows g and g + 8: parts of x in two columns, the others zero
    const uint32_t *low = tile.words, *high = tile.words + Shape::kWords;
#pragma unroll
    for (int i = 0; i < Shape::kWords; i += 4) {
      const uint4 b = x.pairs[i / 4];
      multiply_add(sums[0], low[i], high[i], low[i + 1], high[i + 1], b.x, b.y);
      multiply_add(sums[1], low[i + 2], high[i + 2], low[i + 3], high[i + 3], b.z, b.w);
    }
#pragma unroll
    for (int half = 0; half < 2; ++half)
      total[half] +=
          (sums[0][half * 2] + sums[0][half * 2 + 1]) + (sums[1][half * 2] + sums[1][half * 2 + 1]);
  }

  // The results of a batch: two warps have a row tile, each four rows of either half; a quarter of
  // its lanes each the sums of two warps.
  struct Result {
    int slot, row, half, part;
  };
  __device__ Result result() const {
    return {warp_ / 2, warp_ % 2 * 4 + lane_ % 4, lane_ / 4 % 2, lane_ / 8};
  }
  // Whether this lane writes rows `result_row` and one more.
  __device__ bool writes(const ProductArguments& a) const {
    const Result own = result();
    return own.part == 0 && own.row % 2 == 0 && !(a.join == Join::kGated && own.half);
  }
  __device__ int result_row(const ProductArguments& a, int first_row_tile) const {
    const Result own = result();
    const int packed = packed_row(first_row_tile + own.slot);
    return a.join == Join::kGated ? packed / 2 + own.row : packed + own.half * 8 + own.row;
  }
  __device__ uint32_t load_residual(const ProductArguments& a, int row_tile) const {
    return writes(a) ? residual_pair(a, result_row(a, row_tile)) : 0;
  }

  // This warp's part of a row tile.
  __device__ void put_sums(float* sums, int slot, const float (&total)[2]) const {
    const bool odd = lane_ % 2;  // has the row further down, after a trade
    float sum = odd ? total[1] : total[0];
    sum += __shfl_xor_sync(~0u, odd ? total[0] : total[1], 1);
    sum += __shfl_xor_sync(~0u, sum, 2);
    if (lane_ % 4 < 2) sums[(slot * Shape::kWarps + warp_) * 16 + lane_ % 4 * 8 + lane_ / 4] = sum;
  }

  // Of the row tiles of a batch that there are.
  __device__ void write_results(const ProductArguments& a, const float* sums,
                                const float* all_squares, int first_row_tile,
                                uint32_t residual) const {
    static_assert(Shape::kBatch * 2 == Shape::kWarps);
    const Result own = result();
    const float* from =
        sums + (own.slot * Shape::kWarps + own.part * 2) * 16 + own.half * 8 + own.row;
    float sum = from[0] + from[16], squares = 0;
    sum += __shfl_xor_sync(~0u, sum, 8);
    sum += __shfl_xor_sync(~0u, sum, 16);
    if (a.norm) {
#pragma unroll
      for (int w = 0; w < Shape::kWarps; ++w) squares += all_squares[w];
      sum *= rsqrtf(__fdividef(squares, a.columns) + a.epsilon);
    }
    if (a.join == Join::kGated) {
      const float other = __shfl_xor_sync(~0u, sum, 4);
      sum = __fdividef(sum, 1 + __expf(-sum)) * other;  // of the first half
    }
    const float next = __shfl_xor_sync(~0u, sum, 1);
    if (writes(a)) write_pair(a, result_row(a, first_row_tile), sum, next, residual);
  }

  Source& source_;
  int count_, lane_, warp_;
  float block_share_;
  uint32_t ring_;
  TokenInput<Shape> input_;
  float *sums_, *squares_;
  // What is fetched next: tiles of a row tile of product `fetched_`.
  const char* weights_;
  int64_t weights_step_;  // from behind a row tile of this warp to its next one
  int fetched_ = 0, row_tile_size_ = 0, row_tiles_left_ = 0, tiles_left_ = 0;
  int used_ = 0, batch_ = 0;
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
