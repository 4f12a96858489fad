#pragma once
// y = x W^T for one token, W packed: bound by reading W once. x becomes 16-bit numbers relative to
// the largest of its group, as two signed bytes, so that the integer matrix unit multiplies
// exactly. W is its 16-row operand, which each warp copies through a ring of its own; the four
// lanes that share a row own a group each, and the eight columns of the other operand are (group,
// byte): each is zero for the lanes of other groups, so the sums of four groups come apart by
// themselves.
#include "bytes.cuh"
#include "product_rows.cuh"

namespace prismvid::cuda {

template <class Shape>
class TokenProduct {
  using Packing = BytePacking<Shape::Bits>;

 public:
  __device__ TokenProduct(const ProductArguments& arguments, char* shared)
      : a_(arguments), lane_(threadIdx.x % kWarp), warp_(threadIdx.x / kWarp) {
    const int tiles = a_.columns / Shape::kTile, rows = (a_.packed_rows() + 15) / 16;
    first_ = tiles * warp_ / Shape::kWarps;
    end_ = tiles * (warp_ + 1) / Shape::kWarps;
    row_tiles_ = (rows - static_cast<int>(blockIdx.x) + gridDim.x - 1) / gridDim.x;
    ring_ = shared_address(shared) + warp_ * Shape::kStages * Shape::kStageBytes;
    zeros_ = shared + Shape::kRingBytes;
    x_ = zeros_ + Shape::kXBytes;
    groups_ = reinterpret_cast<float2*>(x_ + tiles * Shape::kXBytes);
    sums_ = reinterpret_cast<float*>(groups_ + tiles * 4);
    squares_ = sums_ + 2 * Shape::kSumFloats;
  }

  __device__ void run() {
    let_next_kernel_start();
    const bool idle = end_ == first_;  // fewer tiles than warps: multiplies one by zeros
    if (idle) first_ = 0, end_ = 1;
    fetch_column_ = first_;
    place_lane();
    point();
#pragma unroll 1
    for (int i = 0; i < Shape::kStages - 1; ++i) fetch();
    warm_norm();
    for (int i = threadIdx.x; i < Shape::kXBytes / 4; i += Shape::kThreads)
      reinterpret_cast<uint32_t*>(zeros_)[i] = 0;
    wait_for_previous_kernel();
    load_x();
    __syncthreads();
    const int g = lane_ / 4, t = lane_ % 4;
    const bool mine = g / 2 == t && !idle;
    const char* x = mine ? x_ + g * 16 : zeros_;
    const int x_step = mine ? Shape::kXBytes : 0;
    const float2* groups = idle ? reinterpret_cast<const float2*>(zeros_) : groups_ + t;
    for (int row_tile = 0; row_tile < row_tiles_; ++row_tile) {
      float total[2] = {};
      for (int column = first_; column < end_; ++column) {
        wait_for_copies<Shape::kStages - 2>();
        __syncwarp();
        fetch();  // where the tile before this one was
        multiply(used_ * Shape::kStageBytes, x + column * x_step, groups[column * 4], total);
        used_ = used_ + 1 == Shape::kStages ? 0 : used_ + 1;
      }
      finish(row_tile, total);
    }
    wait_for_copies<0>();
  }

 private:
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
    scales_from_ = keep(scales + g * 8 + (groups() == 2 ? t / 2 : t) * 2);
  }

  // Of a row of a tile.
  __device__ int groups() const {
    return Shape::kUnit == 64 && a_.group == 128 ? 2 : 4;
  }

  // To the rows of the row tile to fetch from. Half of the lanes copy rows 0 to 8, half the others.
  __device__ void point() {
    const int packed = packed_row(fetch_row_), copy = lane_ % 16;
    const Rows rows = find_rows(a_, packed, lane_ / 16);
    const int last = max(rows.count, 1) - 1, row_bytes = a_.columns / 8 * Shape::Bits;
    const int first = rows.first + min(rows.count - 1, 0);  // past the end: the last row
    weights_ = reinterpret_cast<const char*>(rows.matrix->weight) +
               static_cast<size_t>(first) * row_bytes + first_ * Shape::kRowBytes;
#pragma unroll
    for (int i = 0; i < Shape::kCopies; ++i) {
      const int index = i * 16 + copy;
      offsets_[i] = min(index / Shape::kPieces, last) * row_bytes + index % Shape::kPieces * 16;
    }
    groups_from_ = (copy < 8 ? rows.matrix->scales : rows.matrix->biases) +
                   static_cast<size_t>(first + min(copy % 8, last)) * (a_.columns / a_.group) +
                   first_ * groups();
    // Where the same matrix has all rows of the next row tile, it is a step further.
    int end = a_.packed_rows();
    if (a_.join == Join::kBelow && packed < a_.first_row[2])
      end = packed < a_.first_row[1] ? a_.first_row[1] : a_.first_row[2];
    steps_ = (end - packed) / 16 > 0 ? ((end - packed) / 16 - 1) / static_cast<int>(gridDim.x) : 0;
    const int step = static_cast<int>(gridDim.x) * (a_.join == Join::kGated ? 8 : 16);
    weights_step_ = static_cast<int64_t>(step) * row_bytes - (end_ - first_) * Shape::kRowBytes;
    groups_step_ = step * (a_.columns / a_.group) - (end_ - first_) * groups();
  }

  // The next tile of this warp, which may be of later rows, into the ring.
  __device__ void fetch() {
    if (fetch_row_ < row_tiles_) {
      fetch_tile(filled_ * Shape::kStageBytes);
      filled_ = filled_ + 1 == Shape::kStages ? 0 : filled_ + 1;
      if (++fetch_column_ == end_) {
        fetch_column_ = first_;
        ++fetch_row_;
        if (--steps_ >= 0)
          weights_ += weights_step_, groups_from_ += groups_step_;
        else if (fetch_row_ < row_tiles_)
          point();
      }
    }
    commit_copies();
  }

  __device__ void fetch_tile(uint32_t stage) {
#pragma unroll
    for (int i = 0; i < Shape::kCopies; ++i)
      if (Shape::kPieces % 2 == 0 || i * 16 + lane_ % 16 < 8 * Shape::kPieces)
        copy_async<16>(stage + copy_to_ + i * Shape::kCopyStride, weights_ + offsets_[i]);
    const uint32_t to = copy_groups_to_ + stage;
    if (groups() == 2)
      copy_async<4>(to, groups_from_);
    else
      copy_async<8>(to, groups_from_);
    weights_ += Shape::kRowBytes;
    groups_from_ += groups();
  }

  __device__ void warm_norm() const {
    if (a_.norm && static_cast<int>(threadIdx.x) < a_.columns / 64)
      asm volatile("prefetch.global.L2 [%0];" ::"l"(a_.norm + threadIdx.x * 64));
  }

  // x as bytes: (tile, register quad, group, byte, lane's 16 bytes), with scale and sum of each
  // group. The length of x is left to the end, so that x is read once.
  __device__ void load_x() {
    constexpr int piece = Packing::kPiece, lanes = Shape::kUnit / piece;
    const int pieces = a_.columns / piece;
    float squares = 0;
    for (int base = 0; base < pieces; base += Shape::kThreads) {  // whole warps: they shuffle
      const int index = base + static_cast<int>(threadIdx.x);
      float values[piece] = {};
      if (index < pieces) load_piece(index, values, squares);
      float largest = 0, sum = 0;
#pragma unroll
      for (const float value : values) largest = fmaxf(largest, fabsf(value)), sum += value;
#pragma unroll
      for (int step = 1; step < lanes; step *= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
        sum += __shfl_xor_sync(~0u, sum, step);
      }
      if (index >= pieces) continue;
      constexpr float most = 127 * 256, least = 1e-30f;
      const int group = index / lanes;
      char* to = x_ + group / 4 * Shape::kXBytes + index % lanes * (piece * 8) + group % 4 * 32;
      put_limbs(values, largest > least ? most / largest : 0, to);
      if (index % lanes == 0)
        groups_[group] = {largest / (Shape::Bits == 4 ? 16 * most : most), sum};
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) squares += __shfl_xor_sync(~0u, squares, step);
    if (lane_ == 0) squares_[warp_] = squares;
  }

  __device__ void load_piece(int index, float (&values)[Packing::kPiece], float& squares) const {
#pragma unroll
    for (int i = 0; i < Packing::kPiece / 8; ++i) {
      const int at = index * (Packing::kPiece / 8) + i;
      const uint4 four = reinterpret_cast<const uint4*>(a_.x)[at];
      uint4 factors = {};
      if (a_.norm) factors = reinterpret_cast<const uint4*>(a_.norm)[at];
      const uint32_t pairs[4] = {four.x, four.y, four.z, four.w},
                     norms[4] = {factors.x, factors.y, factors.z, factors.w};
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const float value = half_of(pairs[j / 2], j % 2);
        squares += value * value;
        values[i * 8 + j] = a_.norm ? value * half_of(norms[j / 2], j % 2) : value;
      }
    }
  }

  // Rounded to 256 * upper + lower, both signed.
  __device__ static void put_limbs(const float (&values)[Packing::kPiece], float factor, char* to) {
#pragma unroll
    for (int quad = 0; quad < Packing::kPiece / 16; ++quad) {
      uint32_t upper[4], lower[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        uint32_t limbs[4];
#pragma unroll
        for (int byte = 0; byte < 4; ++byte)
          limbs[byte] =
              __float2int_rn(values[Packing::value_of(quad * 4 + i, byte)] * factor) + 128;
        upper[i] = __byte_perm(__byte_perm(limbs[0], limbs[1], 0x0051),
                               __byte_perm(limbs[2], limbs[3], 0x0051), 0x5410);
        lower[i] = __byte_perm(__byte_perm(limbs[0], limbs[1], 0x0040),
                               __byte_perm(limbs[2], limbs[3], 0x0040), 0x5410) ^
                   0x80808080u;
      }
      auto* out = reinterpret_cast<uint4*>(to + quad * 128);
      out[0] = make_uint4(upper[0], upper[1], upper[2], upper[3]);
      out[1] = make_uint4(lower[0], lower[1], lower[2], lower[3]);
    }
  }

  __device__ void multiply(uint32_t stage, const char* x, float2 group, float (&total)[2]) const {
    uint32_t words[2][Shape::kWords], low[Shape::kUnit / 4], high[Shape::kUnit / 4];
    load_shared(words_from_ + stage, words[0]);
    load_shared(words_from_ + stage + 8 * Shape::kRowStride, words[1]);
    unpack_to_bytes<Shape::Bits>(words[0], low);
    unpack_to_bytes<Shape::Bits>(words[1], high);
    int sums[2][4] = {};  // rows g and g + 8: upper, lower bytes of x
#pragma unroll
    for (int i = 0; i < Shape::kUnit / 4; i += 4) {
      const uint4 b = *reinterpret_cast<const uint4*>(x + i * 32);
      multiply_add(sums[0], low[i], high[i], low[i + 1], high[i + 1], b.x, b.y);
      multiply_add(sums[1], low[i + 2], high[i + 2], low[i + 3], high[i + 3], b.z, b.w);
    }
    const uint32_t scales = scales_from_ + stage;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      constexpr int first = Shape::Bits == 4 ? 16 : 1;
      const int upper = sums[0][half * 2] * first + sums[1][half * 2],
                lower = sums[0][half * 2 + 1] * first + sums[1][half * 2 + 1];
      const float sum = static_cast<float>(upper * 256 + lower);
      total[half] += sum * (load_shared_value(scales + half * 128) * group.x);
      total[half] += load_shared_value(scales + half * 128 + 64) * group.y;
    }
  }

  // Sums of a row tile into shared memory; once there are enough, or no more, those of all warps
  // are added. The next ones go into the other half, so one barrier is enough.
  __device__ void finish(int row_tile, const float (&total)[2]) {
    const int slot = row_tile % Shape::kBatch;
    float* sums = sums_ + row_tile / Shape::kBatch % 2 * Shape::kSumFloats;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = total[half];
      sum += __shfl_xor_sync(~0u, sum, 1);
      sum += __shfl_xor_sync(~0u, sum, 2);
      if (lane_ % 4 == 0) sums[(slot * Shape::kWarps + warp_) * 16 + half * 8 + lane_ / 4] = sum;
    }
    if (slot + 1 < Shape::kBatch && row_tile + 1 < row_tiles_) return;
    __syncthreads();
    float length = 1;
    if (a_.norm) {
      float squares = 0;
#pragma unroll
      for (int i = 0; i < Shape::kWarps; ++i) squares += squares_[i];
      length = rsqrtf(squares / a_.columns + a_.epsilon);
    }
    for (int i = threadIdx.x; i < (slot + 1) * 8; i += Shape::kThreads) {
      const float* from = sums + i / 8 * Shape::kWarps * 16 + i % 8;
      float sum = 0, next_sum = 0;
#pragma unroll
      for (int w = 0; w < Shape::kWarps; ++w) sum += from[w * 16], next_sum += from[w * 16 + 8];
      write_rows(a_, 0, packed_row(row_tile - slot + i / 8) + i % 8, sum * length,
                 next_sum * length);
    }
  }

  const ProductArguments& a_;  // in constant memory
  int lane_, warp_, first_, end_, row_tiles_;
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
  int fetch_row_ = 0, fetch_column_ = 0, filled_ = 0, used_ = 0;
};

}  // namespace prismvid::cuda
