#pragma once
// The products of a mixture of experts, for each token by itself: bound by reading the chosen
// experts' weights once. A warp multiplies two rows at a time, each lane the columns of one unit,
// whose weights it copies through a ring of its own. Activations become 16-bit numbers relative to
// the largest of their unit, as two signed bytes, so that four products are one instruction and
// exact.
#include "bytes.cuh"
#include "router.cuh"

namespace prismvid::cuda {

// sum + the products of four unsigned and four signed bytes
__device__ __forceinline__ int add_products(uint32_t unsigned_bytes, uint32_t signed_bytes,
                                            int sum) {
  asm("dp4a.u32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(unsigned_bytes), "r"(signed_bytes));
  return sum;
}

// Grid: (blocks that share the rows, tokens).
template <class Shape>
class ExpertProduct {
  using Packing = BytePacking<Shape::Bits>;
  static constexpr bool kMixed = Shape::kPart == ExpertPart::kMixed;
  static constexpr int kStages = Shape::kStages;

 public:
  __device__ ExpertProduct(const ExpertArguments& arguments, char* shared)
      : a_(arguments),
        lane_(threadIdx.x % kWarp),
        warp_(threadIdx.x / kWarp),
        token_(blockIdx.y),
        units_(arguments.all_columns(Shape::kPart) / Shape::kUnit),
        chunks_(Shape::chunks(arguments.all_columns(Shape::kPart))),
        ring_(shared_address(shared) + warp_ * kStages * Shape::kStageBytes),
        x_(reinterpret_cast<uint4*>(shared + Shape::kRingBytes)),
        groups_(reinterpret_cast<float2*>(x_ + Shape::kQuads * chunks_ * kWarp)),
        pieces_at_(reinterpret_cast<uint32_t*>(groups_ + chunks_ * kWarp)),
        groups_at_(pieces_at_ + chunks_ * Shape::kChunkPieces) {
    const int warps = gridDim.x * Shape::kWarps,
              first = static_cast<int>(blockIdx.x) * Shape::kWarps + warp_;
    task_ = fetch_task_ = first;
    task_step_ = warps;
    const int tasks = a_.tasks(Shape::kPart);
    steps_ = first < tasks ? ((tasks - 1 - first) / warps + 1) * chunks_ : 0;
  }

  __device__ void run() {
    // The router's scores were complete before any block of the kernel between could let this one
    // start: kMixed chooses and fetches while that kernel still runs.
    if (!kMixed) wait_for_previous_kernel();
    let_next_kernel_start();
    if (warp_ == 0)
      choose_experts(a_, token_, choice());
    else if (!kMixed)
      load_x(kWarp);
    __syncthreads();
    tell_places();
    __syncthreads();
#pragma unroll
    for (int stage = 0; stage < kStages; ++stage) fetch(stage);
    if (kMixed) {
      wait_for_previous_kernel();
      load_x(0);
    }
    __syncthreads();
    const float length = kMixed || !a_.norm ? 1 : length_of_x();
    for (int step = 0; step < steps_; step += kStages) {
#pragma unroll
      for (int stage = 0; stage < kStages; ++stage) {
        if (step + stage >= steps_) break;
        wait_for_copies<kStages - 1>();
        __syncwarp();
        multiply(stage);
        __syncwarp();
        fetch(stage);  // where the rows just multiplied were
        if (++chunk_ == chunks_) finish(length);
      }
    }
    wait_for_copies<0>();
  }

 private:
  __device__ static Choice& choice() {
    __shared__ Choice choice;
    return choice;
  }
  __device__ static float* squares() {
    __shared__ float squares[Shape::kWarps];
    return squares;
  }

  __device__ int row_bytes() const {
    return a_.columns / 8 * Shape::Bits;
  }

  // Where the pieces of a row and the groups of its units lie, from the row's first: in pieces of
  // 16 bytes and in groups. Past the last there is, the last again.
  __device__ void tell_places() {
    const int row_pieces = row_bytes() / 16, row_units = a_.columns / Shape::kUnit;
    const int pieces = units_ / row_units * row_pieces, row_groups = a_.columns / a_.group;
    for (int i = threadIdx.x; i < chunks_ * Shape::kChunkPieces; i += Shape::kThreads) {
      const int piece = min(i, pieces - 1);
      pieces_at_[i] = first_row(piece / row_pieces) * row_pieces + piece % row_pieces;
    }
    for (int i = threadIdx.x; i < chunks_ * kWarp; i += Shape::kThreads) {
      const int unit = min(i, units_ - 1);
      groups_at_[i] =
          first_row(unit / row_units) * row_groups + unit % row_units * Shape::kUnit / a_.group;
      if (i >= units_) groups_[i] = {0, 0};
    }
  }
  // Of the matrix of a chosen expert, where rows go through all of them.
  __device__ uint32_t first_row(int index) const {
    return kMixed ? static_cast<uint32_t>(choice().experts[index]) * a_.rows : 0;
  }

  // Row of `half` of a task in the matrices of all experts, without what tell_places() tells.
  __device__ size_t row_of(int task, int half) const {
    if (kMixed) return static_cast<size_t>(2 * task + half);
    return static_cast<size_t>(choice().experts[task / a_.rows]) * a_.rows + task % a_.rows;
  }

  // The next chunk of this warp, which may be of a later task.
  __device__ void fetch(int stage) {
    if (fetched_ < steps_) {
      ++fetched_;
      const uint32_t to = ring_ + stage * Shape::kStageBytes + lane_ * 16;
      const uint32_t* at = pieces_at_ + fetch_chunk_ * Shape::kChunkPieces + lane_;
      const uint32_t group = groups_at_[fetch_chunk_ * kWarp + lane_];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const ProductMatrix& matrix = a_.matrices[kMixed ? 0 : half];
        const size_t row = row_of(fetch_task_, half);
        const char* from = reinterpret_cast<const char*>(matrix.weight) + row * row_bytes();
#pragma unroll
        for (int i = 0; i < Shape::kChunkPieces; i += kWarp)
          if (i + kWarp <= Shape::kChunkPieces || i + lane_ < Shape::kChunkPieces)
            copy_async<16>(to + half * Shape::kChunkBytes + i * 16,
                           from + static_cast<size_t>(at[i]) * 16);
        const size_t first = row * (a_.columns / a_.group) + group;
        scales_[stage][half] = __ldg(reinterpret_cast<const uint16_t*>(matrix.scales) + first);
        biases_[stage][half] = __ldg(reinterpret_cast<const uint16_t*>(matrix.biases) + first);
      }
      if (++fetch_chunk_ == chunks_) fetch_chunk_ = 0, fetch_task_ += task_step_;
    }
    commit_copies();
  }

  // x as bytes: (quad, unit), upper and lower bytes in turn, with scale and sum of each unit. Its
  // length is left to the end, so that x is read once. By the threads from `first` on.
  __device__ void load_x(int first) {
    constexpr int piece = Packing::kPiece, lanes = Shape::kUnit / piece;
    const int pieces = units_ * lanes, row_units = a_.columns / Shape::kUnit;
    const auto* x =
        reinterpret_cast<const uint4*>(a_.x + static_cast<size_t>(token_) * units_ * Shape::kUnit);
    float squares_sum = 0;
    for (int base = 0; base < pieces; base += Shape::kThreads - first) {  // whole warps shuffle
      const int index = base + static_cast<int>(threadIdx.x) - first;
      float values[piece] = {};
      if (index < pieces) load_piece(x, index, values, squares_sum);
      float largest = 0, sum = 0;
#pragma unroll
      for (const float value : values) largest = fmaxf(largest, fabsf(value)), sum += value;
      if constexpr (lanes > 1)
#pragma unroll
        for (int step = 1; step < lanes; step *= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
          sum += __shfl_xor_sync(~0u, sum, step);
        }
      if (index >= pieces) continue;
      constexpr float most = 127 * 256, least = 1e-30f;
      const int unit = index / lanes;
      put_bytes(values, largest > least ? most / largest : 0,
                x_ + index % lanes * (piece / 8) * (chunks_ * kWarp) + unit);
      if (index % lanes != 0) continue;
      const float share = kMixed ? choice().shares[unit / row_units] : 1;
      groups_[unit] = {largest / (Packing::kTimes * most) * share, sum * share};
    }
    if (!a_.norm) return;
#pragma unroll
    for (int step = 16; step > 0; step /= 2) squares_sum += __shfl_xor_sync(~0u, squares_sum, step);
    if (lane_ == 0) squares()[warp_] = squares_sum;
  }

  __device__ void load_piece(const uint4* x, int index, float (&values)[Packing::kPiece],
                             float& squares_sum) const {
#pragma unroll
    for (int i = 0; i < Packing::kPiece / 8; ++i) {
      const int at = index * (Packing::kPiece / 8) + i;
      const uint4 four = x[at];
      uint4 factors = {};
      if (a_.norm) factors = reinterpret_cast<const uint4*>(a_.norm)[at];
      const uint32_t pairs[4] = {four.x, four.y, four.z, four.w},
                     norms[4] = {factors.x, factors.y, factors.z, factors.w};
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const float value = half_of(pairs[j / 2], j % 2);
        squares_sum += value * value;
        values[i * 8 + j] = a_.norm ? value * half_of(norms[j / 2], j % 2) : value;
      }
    }
  }

  __device__ void put_bytes(const float (&values)[Packing::kPiece], float factor, uint4* to) const {
#pragma unroll
    for (int quad = 0; quad < Packing::kPiece / 16; ++quad) {
      const SplitBytes bytes = split_to_bytes<Shape::Bits>(values, quad, factor);
      to[2 * quad * chunks_ * kWarp] = bytes.upper;
      to[(2 * quad + 1) * chunks_ * kWarp] = bytes.lower;
    }
  }

  // 1 / root mean square of x.
  __device__ float length_of_x() const {
    float sum = 0;
#pragma unroll
    for (int i = 1; i < Shape::kWarps; ++i) sum += squares()[i];  // warp 0 chose
    return rsqrtf(sum / a_.columns + a_.epsilon);
  }

  __device__ void multiply(int stage) {
    const int unit = chunk_ * kWarp + lane_;
    uint32_t bytes[2][Shape::kUnit / 4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      uint32_t words[Shape::kWords];
      load_shared(ring_ + stage * Shape::kStageBytes + half * Shape::kChunkBytes +
                      lane_ * (Shape::kWords * 4),
                  words);
      unpack_to_bytes<Shape::Bits, Shape::kWords>(words, bytes[half]);
    }
    int upper[2][2] = {}, lower[2][2] = {};  // of either row: registers as they are, and larger
#pragma unroll
    for (int quad = 0; quad < Shape::kUnit / 16; ++quad) {
      const uint4 high = x_[2 * quad * chunks_ * kWarp + unit],
                  low = x_[(2 * quad + 1) * chunks_ * kWarp + unit];
      const uint32_t highs[4] = {high.x, high.y, high.z, high.w},
                     lows[4] = {low.x, low.y, low.z, low.w};
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int large = Packing::kTimes > 1 && i >= 2;
          const uint32_t weights = bytes[half][quad * 4 + i];
          upper[half][large] = add_products(weights, highs[i], upper[half][large]);
          lower[half][large] = add_products(weights, lows[i], lower[half][large]);
        }
    }
    const float2 group = groups_[unit];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int sum = (upper[half][0] * Packing::kTimes + upper[half][1]) * 256 +
                      (lower[half][0] * Packing::kTimes + lower[half][1]);
      total_[half] += static_cast<float>(sum) * (low_half(scales_[stage][half]) * group.x);
      total_[half] += low_half(biases_[stage][half]) * group.y;
    }
  }

  // Adds up what the lanes have, and writes it.
  __device__ void finish(float length) {
    const bool second = lane_ >= 16;
    float sum = second ? total_[1] : total_[0];
    sum += __shfl_xor_sync(~0u, second ? total_[0] : total_[1], 16);
#pragma unroll
    for (int step = 8; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
    if (kMixed) {
      if (lane_ % 16 == 0) {
        const size_t at = static_cast<size_t>(token_) * a_.rows + 2 * task_ + second;
        if (a_.residual) sum += __bfloat162float(a_.residual[at]);
        a_.y[at] = __float2bfloat16(sum);
      }
    } else {
      const float up = __shfl_sync(~0u, sum, 16) * length, gate = sum * length;
      if (lane_ == 0)
        a_.y[static_cast<size_t>(token_) * a_.chosen * a_.rows + task_] =
            __float2bfloat16(gate / (1 + __expf(-gate)) * up);
    }
    total_[0] = total_[1] = 0;
    chunk_ = 0;
    task_ += task_step_;
  }

  const ExpertArguments& a_;  // in constant memory
  int lane_, warp_, token_, units_, chunks_;
  uint32_t ring_;
  uint4* x_;
  float2* groups_;
  uint32_t *pieces_at_, *groups_at_;
  uint32_t scales_[kStages][2], biases_[kStages][2];
  float total_[2] = {};
  int task_, fetch_task_, task_step_, steps_, fetched_ = 0, chunk_ = 0, fetch_chunk_ = 0;
};

}  // namespace prismvid::cuda
