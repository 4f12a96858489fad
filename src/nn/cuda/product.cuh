#pragma once
// y = x W^T for 1 to 64 tokens: bound by reading W once. A warp takes 16 rows of W at a time
// through a ring of asynchronous copies, unpacks them in registers and multiplies on the matrix
// unit, W being its 16-row operand and up to 8 tokens (a "column tile") the other. Groups keep
// float32 sums of their own, so scales and biases are applied exactly as in the plain form.
#include "product_rows.cuh"
#include "unpack.cuh"

namespace prismvid::cuda {

template <class Shape>
class Product {
 public:
  __device__ Product(const ProductArguments& arguments, char* shared)
      : a_(arguments),
        lane_(threadIdx.x % kWarp),
        warp_(threadIdx.x / kWarp),
        ring_(shared + warp_ * Shape::kStages * Shape::kStageBytes),
        sums_(reinterpret_cast<float*>(shared + Shape::kRingBytes)) {
    padded_ = block_tokens_ = Shape::padded_tokens(a_.tokens);
    const int chunks = a_.columns / Shape::kChunk;
    slice_ = blockIdx.y;
    first_chunk_ = chunks * slice_ / a_.slices;
    slice_chunks_ = chunks * (slice_ + 1) / a_.slices - first_chunk_;
    const int along_k = warp_ % Shape::WarpsAlongK;
    warp_first_ = slice_chunks_ * along_k / Shape::WarpsAlongK;
    warp_chunks_ = slice_chunks_ * (along_k + 1) / Shape::WarpsAlongK - warp_first_;
    const int blocks = (a_.packed_rows() + Shape::kBlockRows - 1) / Shape::kBlockRows;
    tiles_ = (blocks - static_cast<int>(blockIdx.x) + gridDim.x - 1) / gridDim.x;
    x_ = shared + Shape::kRingBytes + 2 * Shape::reduce_floats(padded_) * 4;
    x_sums_ = reinterpret_cast<float*>(x_ + static_cast<size_t>(padded_) * slice_chunks_ *
                                                Shape::kChunk * 2);
    lengths_ = x_sums_ + (Shape::kQuantized ? padded_ * slice_chunks_ * Shape::kUnits : 0);
  }

  __device__ void run() {
    let_next_kernel_start();
#pragma unroll 1
    for (int i = 0; i < Shape::kStages - 1; ++i) fetch();
    wait_for_previous_kernel();
    load_x();
    __syncthreads();
    for (int tile = 0; tile < tiles_; ++tile) {
      float total[Shape::ColumnTiles][4] = {};
      for (int chunk = 0; chunk < warp_chunks_; ++chunk) {
        wait_for_copies<Shape::kStages - 2>();
        __syncwarp();
        fetch();  // where the chunk before this one was
        multiply(ring_ + used_ * Shape::kStageBytes, warp_first_ + chunk, total);
        used_ = used_ + 1 == Shape::kStages ? 0 : used_ + 1;
      }
      finish(tile, total);
    }
    wait_for_copies<0>();
  }

 protected:
  __device__ int row_of(int tile) const {
    return (static_cast<int>(blockIdx.x) + tile * static_cast<int>(gridDim.x)) * Shape::kBlockRows +
           warp_ / Shape::WarpsAlongK * 16;
  }

  // The next chunk of this warp, which may belong to a later tile, into the ring.
  __device__ void fetch() {
    if (fetch_tile_ < tiles_ && warp_chunks_ > 0) {
      fetch_rows(row_of(fetch_tile_), first_chunk_ + warp_first_ + fetch_chunk_,
                 shared_address(ring_ + filled_ * Shape::kStageBytes));
      filled_ = filled_ + 1 == Shape::kStages ? 0 : filled_ + 1;
      if (++fetch_chunk_ == warp_chunks_) {
        fetch_chunk_ = 0;
        ++fetch_tile_;
      }
    }
    commit_copies();
  }

  // One chunk of 16 packed rows.
  __device__ void fetch_rows(int packed, int chunk, uint32_t stage) const {
    constexpr int pieces = Shape::kRowWords / 4;
    const size_t row_bytes = static_cast<size_t>(a_.columns) * Shape::Bits / 8;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const Rows rows = find_rows(a_, packed, half);
      const char* from = reinterpret_cast<const char*>(rows.matrix->weight) +
                         rows.first * row_bytes + static_cast<size_t>(chunk) * Shape::kRowWords * 4;
#pragma unroll
      for (int i = 0; i < (8 * pieces + kWarp - 1) / kWarp; ++i) {
        const int index = i * kWarp + lane_, r = index / pieces, piece = index % pieces;
        if (8 * pieces % kWarp == 0 || index < 8 * pieces)
          copy_async<16>(stage + ((half * 8 + r) * Shape::kRowStride + piece * 4) * 4,
                         from + (r < rows.count ? r * row_bytes : 0) + piece * 16, r < rows.count);
      }
    }
    if constexpr (Shape::kQuantized) {
      const Rows rows = find_rows(a_, packed, lane_ / 8 % 2);
      const int r = lane_ % 8;
      const bf16* from =
          (lane_ < 16 ? rows.matrix->scales : rows.matrix->biases) +
          (static_cast<size_t>(rows.first) + (r < rows.count ? r : 0)) * (a_.columns / a_.group) +
          chunk * (Shape::kChunk / a_.group);
      const uint32_t to = stage + 16 * Shape::kRowStride * 4 + lane_ * Shape::kGroupBytes;
      if (Shape::kUnit == 64 && a_.group == 128)
        copy_async<4>(to, from, r < rows.count);
      else
        copy_async<Shape::kGroupBytes>(to, from, r < rows.count);
    }
  }

  // The slice of x in the order in which lanes take it: (unit, quarter, column tile, token, lane %
  // 4), and its sums over units.
  __device__ void load_x() {
    const int units = slice_chunks_ * Shape::kUnits, in_tile = padded_ < 8 ? padded_ : 8;
    const int items = units * block_tokens_ * 4;
    if (a_.norm) measure_x();
    for (int base = 0; base < items; base += Shape::kThreads) {  // whole warps: they shuffle
      const int item = base + static_cast<int>(threadIdx.x);
      const int t = item % 4, token = first_token_ + item / 4 % block_tokens_,
                unit = item / 4 / block_tokens_;
      const bool real = item < items && token < a_.tokens;
      uint32_t words[Shape::kLaneValues / 2] = {};
      const int column = (first_chunk_ * Shape::kUnits + unit) * Shape::kUnit;
      if (real) {
        const bf16* row = a_.x + static_cast<size_t>(token) * a_.columns + column;
#pragma unroll
        for (int i = 0; i < Shape::kQuarters; ++i) {
          const int at = Shape::kQuantized ? t * Shape::kLaneValues + i * 8 : i * 32 + t * 8;
          const uint4 four = *reinterpret_cast<const uint4*>(row + at);
          words[i * 4] = four.x, words[i * 4 + 1] = four.y, words[i * 4 + 2] = four.z,
                    words[i * 4 + 3] = four.w;
          if (a_.norm) {
            const uint4 weight = *reinterpret_cast<const uint4*>(a_.norm + column + at);
            const uint32_t factors[4] = {weight.x, weight.y, weight.z, weight.w};
            const float length = lengths_[token];
#pragma unroll
            for (int j = 0; j < 4; ++j)
              words[i * 4 + j] = pack(low_half(words[i * 4 + j]) * length * low_half(factors[j]),
                                      high_half(words[i * 4 + j]) * length * high_half(factors[j]));
          }
        }
      }
      float sum = 0;
#pragma unroll
      for (int i = 0; i < Shape::kPairs; ++i) sum += low_half(words[i]) + high_half(words[i]);
      sum += __shfl_xor_sync(~0u, sum, 1);
      sum += __shfl_xor_sync(~0u, sum, 2);
      if (item >= items) continue;
      uint32_t pairs[Shape::kPairs];
#pragma unroll
      for (int i = 0; i < Shape::kPairs; ++i)
        pairs[i] = Shape::kQuantized ? __byte_perm(words[i / 2], words[(i + Shape::kPairs) / 2],
                                                   i % 2 ? 0x7632 : 0x5410)
                                     : words[i];
      if constexpr (Shape::kWarpgroups) {  // (unit, 16 columns, half, token, lane % 4)
#pragma unroll
        for (int i = 0; i < Shape::kPairs; ++i)
          *reinterpret_cast<uint32_t*>(x_ + ((unit * Shape::kPairs + i) * padded_ + token) * 16 +
                                       t * 4) = pairs[i];
      } else {
#pragma unroll
        for (int i = 0; i < Shape::kQuarters; ++i) {
          const int place =
              ((unit * Shape::kQuarters + i) * (padded_ / in_tile) + token / in_tile) * in_tile *
                  4 +
              token % in_tile * 4 + t;
          *reinterpret_cast<uint4*>(x_ + place * 16) =
              make_uint4(pairs[i * 4], pairs[i * 4 + 1], pairs[i * 4 + 2], pairs[i * 4 + 3]);
        }
      }
      if (Shape::kQuantized && t == 0) x_sums_[unit * padded_ + token] = sum;
    }
  }

  // 1 / root mean square of each token's whole row, of this block's tokens. For few tokens several
  // warps share a row.
  __device__ void measure_x() {
    __shared__ float sums[Shape::kWarps];
    const int parts = a_.tokens > 4 ? 1 : Shape::kWarps / (a_.tokens == 3 ? 4 : a_.tokens);
    const int pieces = a_.columns / 8, part = warp_ % parts;
    const int end = min(first_token_ + block_tokens_, a_.tokens);
    for (int token = first_token_ + warp_ / parts; token < end; token += Shape::kWarps / parts) {
      const auto* row =
          reinterpret_cast<const uint4*>(a_.x + static_cast<size_t>(token) * a_.columns);
      float sum = 0;
#pragma unroll 8
      for (int i = part * kWarp + lane_; i < pieces; i += parts * kWarp) {
        const uint4 four = row[i];
        for (const uint32_t pair : {four.x, four.y, four.z, four.w})
          sum += low_half(pair) * low_half(pair) + high_half(pair) * high_half(pair);
      }
#pragma unroll
      for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
      if (lane_ != 0) continue;
      if (parts == 1)
        lengths_[token] = rsqrtf(sum / a_.columns + a_.epsilon);
      else
        sums[warp_] = sum;
    }
    __syncthreads();
    if (parts == 1) return;
    if (static_cast<int>(threadIdx.x) < a_.tokens) {
      float sum = 0;
      for (int i = 0; i < parts; ++i) sum += sums[threadIdx.x * parts + i];
      lengths_[threadIdx.x] = rsqrtf(sum / a_.columns + a_.epsilon);
    }
    __syncthreads();
  }

  __device__ void load_pairs(const uint32_t* row, int unit,
                             uint32_t (&pairs)[Shape::kPairs]) const {
    const int t = lane_ % 4;
    if constexpr (!Shape::kQuantized) {
#pragma unroll
      for (int i = 0; i < Shape::kQuarters; ++i) {
        const uint4 four = *reinterpret_cast<const uint4*>(row + i * 16 + t * 4);
        pairs[i * 4] = four.x, pairs[i * 4 + 1] = four.y, pairs[i * 4 + 2] = four.z,
                  pairs[i * 4 + 3] = four.w;
      }
    } else {
      constexpr int bits = Shape::kLaneValues * Shape::Bits;  // of a lane
      constexpr int most_shift = bits % 32 == 0 ? 0 : bits % 16 == 0 ? 16 : 24;
      constexpr int raw_words = (bits + most_shift + 31) / 32, words = (bits + 31) / 32;
      const int at = t * bits, shift = at % 32;
      const uint32_t* from = row + unit * (Shape::kUnit * Shape::Bits / 32) + at / 32;
      uint32_t raw[raw_words], aligned[words];
      if constexpr (raw_words == 4 && most_shift == 0) {
        const uint4 four = *reinterpret_cast<const uint4*>(from);
        raw[0] = four.x, raw[1] = four.y, raw[2] = four.z, raw[3] = four.w;
      } else if constexpr (raw_words == 2 && most_shift == 0) {
        const uint2 two = *reinterpret_cast<const uint2*>(from);
        raw[0] = two.x, raw[1] = two.y;
      } else {
#pragma unroll
        for (int i = 0; i < raw_words; ++i) raw[i] = from[i];
      }
#pragma unroll
      for (int i = 0; i < words; ++i)
        aligned[i] = most_shift == 0     ? raw[i]
                     : i + 1 < raw_words ? __funnelshift_r(raw[i], raw[i + 1], shift)
                                         : raw[i] >> shift;
      unpack<Shape::Bits, Shape::kPairs>(aligned, pairs);
    }
  }

  // `chunk` of x, whose weights lie at `stage`.
  __device__ void multiply(const char* stage, int chunk,
                           float (&total)[Shape::ColumnTiles][4]) const {
    const auto* words = reinterpret_cast<const uint32_t*>(stage);
    const int g = lane_ / 4, t = lane_ % 4, in_tile = padded_ < 8 ? padded_ : 8;
    // The groups' scales and biases of rows g and g + 8.
    constexpr int group_words = Shape::kGroupBytes / 4;
    uint32_t scales[2][group_words + 1], biases[2][group_words + 1];
    if constexpr (Shape::kQuantized) {
      const auto* groups = words + 16 * Shape::kRowStride;
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int w = 0; w < group_words; ++w) {
          scales[i][w] = groups[(g + 8 * i) * group_words + w];
          biases[i][w] = groups[(16 + g + 8 * i) * group_words + w];
        }
      if (Shape::kUnit == 64 && a_.group == 128)  // two units to a group
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const uint32_t scale = scales[i][0], bias = biases[i][0];
          scales[i][0] = __byte_perm(scale, scale, 0x1010);
          scales[i][1] = __byte_perm(scale, scale, 0x3232);
          biases[i][0] = __byte_perm(bias, bias, 0x1010);
          biases[i][1] = __byte_perm(bias, bias, 0x3232);
        }
    }
#pragma unroll
    for (int unit = 0; unit < Shape::kUnits; ++unit) {
      uint32_t low[Shape::kPairs], high[Shape::kPairs];  // rows g and g + 8
      load_pairs(words + g * Shape::kRowStride, unit, low);
      load_pairs(words + (g + 8) * Shape::kRowStride, unit, high);
      float scale[2], offset[2];
      if constexpr (Shape::kQuantized) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          scale[i] = half_of(scales[i][unit / 2], unit % 2);
          offset[i] = half_of(biases[i][unit / 2], unit % 2) - kOffset<Shape::Bits> * scale[i];
        }
      }
      const int x_unit = chunk * Shape::kUnits + unit;
#pragma unroll
      for (int tile = 0; tile < Shape::ColumnTiles; ++tile) {
        float sums[4] = {};
#pragma unroll
        for (int i = 0; i < Shape::kQuarters; ++i) {
          const int place =
              ((x_unit * Shape::kQuarters + i) * (padded_ / in_tile) + tile) * in_tile * 4 +
              (g & (in_tile - 1)) * 4 + t;
          const uint4 x = *reinterpret_cast<const uint4*>(x_ + place * 16);
          float(&d)[4] = Shape::kQuantized ? sums : total[tile];
          multiply_add(d, low[4 * i], high[4 * i], low[4 * i + 1], high[4 * i + 1], x.x, x.y);
          multiply_add(d, low[4 * i + 2], high[4 * i + 2], low[4 * i + 3], high[4 * i + 3], x.z,
                       x.w);
        }
        if constexpr (Shape::kQuantized) {
          const float* x_sum = x_sums_ + x_unit * padded_ + tile * 8;
          const float first = x_sum[2 * t & (in_tile - 1)],
                      second = x_sum[(2 * t + 1) & (in_tile - 1)];
          total[tile][0] += scale[0] * sums[0] + offset[0] * first;
          total[tile][1] += scale[0] * sums[1] + offset[0] * second;
          total[tile][2] += scale[1] * sums[2] + offset[1] * first;
          total[tile][3] += scale[1] * sums[3] + offset[1] * second;
        }
      }
    }
  }

  // Adds up what the warps along K have, and writes it.
  __device__ void finish(int tile, const float (&total)[Shape::ColumnTiles][4]) {
    const int first_row = row_of(tile) - warp_ / Shape::WarpsAlongK * 16;
    add_warps(tile, first_row, total);
    if (a_.slices > 1) add_slices(first_row);
  }

  __device__ void add_warps(int tile, int first_row, const float (&total)[Shape::ColumnTiles][4]) {
    const int columns = padded_;
    float* sums =
        sums_ + (tile % 2) * Shape::reduce_floats(padded_);  // the other half may still be read
    float* mine = sums + warp_ * 16 * columns;
    const int g = lane_ / 4, t = lane_ % 4;
#pragma unroll
    for (int i = 0; i < Shape::ColumnTiles; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int column = i * 8 + 2 * t + j % 2;  // further ones repeat these
        if (column < columns) mine[(g + j / 2 * 8) * columns + column] = total[i][j];
      }
    __syncthreads();
    for (int i = threadIdx.x; i < Shape::kBlockRows / 2 * a_.tokens; i += Shape::kThreads) {
      const int pair = i % (Shape::kBlockRows / 2), token = i / (Shape::kBlockRows / 2);
      const float* from = sums + (pair / 8 * Shape::WarpsAlongK * 16 + pair % 8) * columns + token;
      float sum[2] = {};
#pragma unroll
      for (int w = 0; w < Shape::WarpsAlongK; ++w) {
        sum[0] += from[w * 16 * columns];
        sum[1] += from[(w * 16 + 8) * columns];
      }
      put(token, first_row + pair / 8 * 16 + pair % 8, sum[0], sum[1]);
    }
  }

  // The sums of packed rows `row` and `row` + 8.
  __device__ float* part_of(int slice, int token) const {
    return a_.partial + (static_cast<size_t>(slice) * a_.tokens + token) * a_.part_stride();
  }
  __device__ void put(int token, int row, float sum, float next_sum) const {
    if (token >= a_.tokens) return;
    if (a_.slices == 1) {
      write_rows(a_, token, row, sum, next_sum);
      return;
    }
    const int rows = a_.packed_rows();
    float* part = part_of(slice_, token);
    if (row < rows) __stcg(part + row, sum);
    if (row + 8 < rows) __stcg(part + row + 8, next_sum);
  }

  // The block that comes last adds the slices in their order, so results do not depend on who that
  // is.
  __device__ void add_slices(int first_row) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    uint32_t* counter = a_.arrived + first_row / Shape::kBlockRows;
    if (threadIdx.x == 0) last = atomicAdd(counter, 1) == static_cast<uint32_t>(a_.slices - 1);
    __syncthreads();
    if (!last) return;
    __threadfence();
    if (threadIdx.x == 0) *counter = 0;
    // Four rows and those 8 below at a time, so that few loads wait for each other.
    constexpr int quads = Shape::kBlockRows / 8;
    const int rows = a_.packed_rows();
    for (int i = threadIdx.x; i < quads * a_.tokens; i += Shape::kThreads) {
      const int quad = i % quads, token = i / quads;
      const int row = first_row + quad / 2 * 16 + quad % 2 * 4;
      float4 sum[2] = {};
#pragma unroll 4
      for (int s = 0; s < a_.slices; ++s)
#pragma unroll
        for (int half = 0; half < 2; ++half)
          if (row + half * 8 < rows) {
            const auto* part = reinterpret_cast<const float4*>(part_of(s, token) + row + half * 8);
            const float4 four = __ldcg(part);
            sum[half].x += four.x, sum[half].y += four.y;
            sum[half].z += four.z, sum[half].w += four.w;
          }
      write_rows(a_, token, row, sum[0].x, sum[1].x);
      write_rows(a_, token, row + 1, sum[0].y, sum[1].y);
      write_rows(a_, token, row + 2, sum[0].z, sum[1].z);
      write_rows(a_, token, row + 3, sum[0].w, sum[1].w);
    }
  }

  const ProductArguments& a_;  // in constant memory
  int lane_, warp_, padded_, slice_, first_chunk_, slice_chunks_, warp_first_, warp_chunks_, tiles_;
  char *ring_, *x_;
  float *sums_, *x_sums_, *lengths_;
  int first_token_ = 0, block_tokens_;  // of x that this block puts in order
  int fetch_tile_ = 0, fetch_chunk_ = 0, filled_ = 0, used_ = 0;
};

}  // namespace prismvid::cuda
