#pragma once
// The ends of a step: a token's vector and turns, and the next token from its logits.
#include "unpack.cuh"

namespace prismvid::cuda {

__device__ inline float packed_value(const uint32_t* row, int index, int bits) {
  const int bit = index * bits, word = bit / 32, shift = bit % 32;
  uint32_t value = row[word] >> shift;
  if (shift + bits > 32) value |= row[word + 1] << (32 - shift);
  return static_cast<float>(value & ((1u << bits) - 1));
}

// Grid: tokens.
extern "C" __global__ void embed(const __grid_constant__ EmbedArguments a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int token = blockIdx.x;
  const size_t id = static_cast<size_t>(a.ids[token]);
  const uint32_t* row = a.weight + id * (static_cast<size_t>(a.columns) * a.bits / 32);
  for (int i = threadIdx.x; i < a.columns; i += blockDim.x) {
    bf16* to = a.out + static_cast<size_t>(token) * a.columns + i;
    if (a.bits == 16) {
      *to = reinterpret_cast<const bf16*>(row)[i];
    } else {
      const size_t group = id * (a.columns / a.group) + i / a.group;
      *to = __float2bfloat16(packed_value(row, i, a.bits) * __bfloat162float(a.scales[group]) +
                             __bfloat162float(a.biases[group]));
    }
  }
  for (int i = threadIdx.x; i < a.turn_count; i += blockDim.x) {
    float sine, cosine;
    sincosf(static_cast<float>(a.positions[token]) * a.frequencies[i], &sine, &cosine);
    a.turns[token * a.turn_count + i] = {cosine * a.turned_length, sine * a.turned_length};
  }
}

// Equal values: the lower index. NaN counts as smallest.
__device__ __forceinline__ void keep_larger(float& value, int& index, float other, int at) {
  if (other > value || (other == value && at < index)) value = other, index = at;
}

__device__ inline void largest_of_block(float& value, int& index) {
  __shared__ float values[kGreedyThreads / kWarp];
  __shared__ int indexes[kGreedyThreads / kWarp];
#pragma unroll
  for (int step = 16; step > 0; step /= 2)
    keep_larger(value, index, __shfl_xor_sync(~0u, value, step), __shfl_xor_sync(~0u, index, step));
  if (threadIdx.x % kWarp == 0)
    values[threadIdx.x / kWarp] = value, indexes[threadIdx.x / kWarp] = index;
  __syncthreads();
  for (int i = 0; i < kGreedyThreads / kWarp; ++i) keep_larger(value, index, values[i], indexes[i]);
}

// Takes `id` as the next token. Grid: (any, tokens); one thread of a token.
__device__ inline void move_on(const GreedyArguments& a, int token, int id) {
  const int step = a.step[token];
  a.ids[token] = id;
  a.history[step % kHistory * gridDim.y + token] = id;
  a.step[token] = step + 1;
  a.positions[token] += a.advance;
  a.lengths[token] += a.advance;
  __threadfence_system();
}

// Grid: (kGreedyBlocks, tokens). Picks the next token of each and moves on.
extern "C" __global__ void __launch_bounds__(kGreedyThreads)
    pick_greedy(const __grid_constant__ GreedyArguments a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int token = blockIdx.y;
  const float* logits = a.logits + static_cast<size_t>(token) * a.vocabulary;
  float value = -INFINITY;
  int index = 0x7fffffff;
  for (int i = blockIdx.x * kGreedyThreads + threadIdx.x; i < a.vocabulary;
       i += kGreedyBlocks * kGreedyThreads)
    keep_larger(value, index, logits[i], i);
  largest_of_block(value, index);
  __shared__ bool last;
  if (threadIdx.x == 0) {
    __stcg(a.partial + token * kGreedyBlocks + blockIdx.x,
           make_float2(value, __int_as_float(index)));
    __threadfence();
    last = atomicAdd(a.arrived + token, 1) == kGreedyBlocks - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  __threadfence();
  a.arrived[token] = 0;
  for (int i = 0; i < kGreedyBlocks; ++i) {
    const float2 part = __ldcg(a.partial + token * kGreedyBlocks + i);
    keep_larger(value, index, part.x, __float_as_int(part.y));
  }
  move_on(a, token, index == 0x7fffffff ? 0 : index);
}

}  // namespace prismvid::cuda
