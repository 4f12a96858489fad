#pragma once
// Attention of the newest token of each sequence, as a kernel.
#include "attention_tiles.cuh"

namespace prismvid::cuda {

// Grid: (key heads, splits, tokens). Shared memory: attention_shared_bytes().
extern "C" __global__ void __launch_bounds__(kAttentionWarps* kWarp)
    attention(const __grid_constant__ AttentionArguments a) {
  extern __shared__ __align__(16) float states[];  // (warps, rows, kSharedState)
  __shared__ __align__(16) bf16 turned[kMostRows][kHeadDim];
  const int head = blockIdx.x, split = blockIdx.y, token = blockIdx.z, lane = threadIdx.x % kWarp,
            warp = threadIdx.x / kWarp, g = lane / 4, t = lane % 4;
  let_next_kernel_start();
  // What earlier steps wrote need not wait.
  const LayerCache cache = a.caches[token];
  const int length = a.lengths[token] + 1;
  const int tiles = (length + 15) / 16, begin = tiles * split / a.splits,
            end = tiles * (split + 1) / a.splits;
  bf16* keys = cache.keys + static_cast<size_t>(head) * cache.capacity * kHeadDim;
  bf16* values = cache.values + static_cast<size_t>(head) * cache.capacity * kHeadDim;
  KeyTile cached;
  if (begin + warp < end)
    cached.load(keys, values, (begin + warp) * 16, 0, max(length - 2, 0), lane);
  wait_for_previous_kernel();
  const int heads = a.key_heads * a.rows;
  const bf16* projected =
      a.projected + static_cast<size_t>(token) * (heads + 2 * a.key_heads) * kHeadDim;
  const float2* turns = a.turns + token * (kHeadDim / 2);
  const auto load = [](const uint32_t* pair) { return make_uint2(pair[0], pair[kWarp]); };
  for (int row = warp; row < a.rows; row += kAttentionWarps)
    turn_head(projected + (head * a.rows + row) * kHeadDim, load, a.query_norm, turns, a.epsilon,
              turned[row], lane);
  if (split == a.splits - 1) {  // has the new token, which it alone reads
    const size_t at = static_cast<size_t>(length - 1) * kHeadDim;
    if (warp == kAttentionWarps - 1)
      turn_head(projected + (heads + head) * kHeadDim, load, a.key_norm, turns, a.epsilon,
                keys + at, lane);
    if (warp == kAttentionWarps - 2)
      reinterpret_cast<uint2*>(values + at)[lane] =
          reinterpret_cast<const uint2*>(projected + (heads + a.key_heads + head) * kHeadDim)[lane];
  }
  __syncthreads();
  uint32_t q[16] = {};
  if (g < a.rows) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const uint4 four = *reinterpret_cast<const uint4*>(&turned[g][i * 32 + t * 8]);
      q[i * 4] = four.x, q[i * 4 + 1] = four.y, q[i * 4 + 2] = four.z, q[i * 4 + 3] = four.w;
    }
  }
  const float scale = a.scale * 1.44269504f;            // powers of two
  float largest = -INFINITY, sum = 0, out[16][2] = {};  // out[j]: dimension g * 16 + j as column
  for (int tile = begin + warp; tile < end; tile += kAttentionWarps) {
    const int first = tile * 16;
    if (tile != begin + warp)
      cached.load(keys, values, first, 0, length - 1, lane);
    else if (tile == tiles - 1)
      cached.load(keys, values, first, length - 1, length - 1, lane);
    float score[2][2] = {};
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const uint4& k = cached.keys[half][i];
        multiply_add_upper(score[half], q[i * 4], q[i * 4 + 1], k.x, k.y);
        multiply_add_upper(score[half], q[i * 4 + 2], q[i * 4 + 3], k.z, k.w);
      }
    }
    float best = -INFINITY;
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const bool inside = first + half * 8 + 2 * t + i < length;
        score[half][i] = inside ? score[half][i] * scale : -INFINITY;
        best = fmaxf(best, score[half][i]);
      }
    best = fmaxf(best, __shfl_xor_sync(~0u, best, 1));
    best = fmaxf(best, __shfl_xor_sync(~0u, best, 2));
    const float now = fmaxf(largest, best), keep = exp2f(largest - now);
    largest = now;
    float probability[2][2];
    sum *= keep;
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        probability[half][i] = exp2f(score[half][i] - now);
        sum += probability[half][i];
      }
    const uint32_t low = pack(probability[0][0], probability[0][1]),
                   high = pack(probability[1][0], probability[1][1]);
    const auto word = [&](int key, int j) {  // dimensions 2j, 2j + 1
      const uint4& four = cached.values[key][j / 4];
      return j % 4 == 0 ? four.x : j % 4 == 1 ? four.y : j % 4 == 2 ? four.z : four.w;
    };
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      const uint32_t halves = j % 2 ? 0x7632 : 0x5410;
      out[j][0] *= keep, out[j][1] *= keep;
      multiply_add_upper(out[j], low, high, __byte_perm(word(0, j / 2), word(1, j / 2), halves),
                         __byte_perm(word(2, j / 2), word(3, j / 2), halves));
    }
  }
  sum += __shfl_xor_sync(~0u, sum, 1);
  sum += __shfl_xor_sync(~0u, sum, 2);
  if (g < a.rows) {
    float* state = states + (warp * a.rows + g) * kSharedState;
    if (t == 0) state[place<false>(kHeadDim)] = largest, state[place<false>(kHeadDim + 1)] = sum;
#pragma unroll
    for (int i = 0; i < 8; ++i) {  // columns 2t, 2t + 1 of tile j: dimensions 16 * column + j
      const int j = i % 4 * 4, half = i / 4;
      *reinterpret_cast<float4*>(state + place<false>((2 * t + half) * 16 + j)) =
          make_float4(out[j][half], out[j + 1][half], out[j + 2][half], out[j + 3][half]);
    }
  }
  __syncthreads();
  const int index = token * a.key_heads + head;
  bf16* out_rows = a.out + static_cast<size_t>(index) * a.rows * kHeadDim;
  float* parts = a.partial + static_cast<size_t>(index) * a.splits * kMostRows * kState;
  for (int row = warp; row < a.rows; row += kAttentionWarps) {
    const Joined joined = join_states<false>(states + row * kSharedState, kAttentionWarps,
                                             a.rows * kSharedState, lane);
    if (a.splits == 1) {
      write_joined(joined, out_rows + row * kHeadDim, lane);
      continue;
    }
    float* part = parts + (split * kMostRows + row) * kState;
    __stcg(reinterpret_cast<float4*>(part) + lane, joined.value);
    if (lane == 0)
      __stcg(reinterpret_cast<float4*>(part + kHeadDim),
             make_float4(joined.largest, joined.sum, 0, 0));
  }
  if (a.splits == 1) return;
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0)
    last = atomicAdd(a.arrived + index, 1) == static_cast<uint32_t>(a.splits - 1);
  __syncthreads();
  if (!last) return;
  __threadfence();
  if (threadIdx.x == 0) a.arrived[index] = 0;
  for (int row = warp; row < a.rows; row += kAttentionWarps)
    write_joined(join_states<true>(parts + row * kState, a.splits, kMostRows * kState, lane),
                 out_rows + row * kHeadDim, lane);
}

}  // namespace prismvid::cuda
