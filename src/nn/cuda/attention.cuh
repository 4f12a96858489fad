#pragma once
// Attention of one token's heads over a long cache: the keys are split over blocks and warps, the
// heads that share a key head are the rows of the matrix unit. Every warp keeps a running maximum;
// the block that comes last for a key head joins the parts in their order.
#include "device.cuh"

namespace prismvid::cuda {

// What one part of the keys gives: sums of values, the largest score, the sum of weights. In shared
// memory each 32 are followed by 4 unused, so that lanes which write at a time find different
// banks.
constexpr int kState = kHeadDim + 4;
template <bool Global>
__device__ constexpr int place(int i) {
  return Global ? i : i + min(i, kHeadDim - 1) / 32 * 4;
}

// What other blocks wrote is not to come from the first-level cache; shared memory has no such
// choice.
template <bool Global, typename T>
__device__ __forceinline__ T part_value(const T* from) {
  if constexpr (Global)
    return __ldcg(from);
  else
    return *from;
}

struct Joined {
  float4 value;  // of dimensions 4 * lane to + 4
  float largest, sum;
};

// Joins up to 32 states that lie `stride` floats apart. For a whole warp.
template <bool Global>
__device__ Joined join_states(const float* parts, int count, int stride, int lane) {
  float largest = -INFINITY, sum = 0;
  if (lane < count) {
    largest = part_value<Global>(parts + lane * stride + place<Global>(kHeadDim));
    sum = part_value<Global>(parts + lane * stride + place<Global>(kHeadDim + 1));
  }
  float best = largest;
#pragma unroll
  for (int step = 16; step > 0; step /= 2) best = fmaxf(best, __shfl_xor_sync(~0u, best, step));
  const float weight = largest == -INFINITY ? 0 : exp2f(largest - best);
  sum *= weight;
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  Joined joined{{0, 0, 0, 0}, best, sum};
#pragma unroll 8
  for (int i = 0; i < count; ++i) {
    const float factor = __shfl_sync(~0u, weight, i);
    const float4 part = part_value<Global>(
        reinterpret_cast<const float4*>(parts + i * stride + place<Global>(4 * lane)));
    joined.value.x += factor * part.x, joined.value.y += factor * part.y;
    joined.value.z += factor * part.z, joined.value.w += factor * part.w;
  }
  return joined;
}

__device__ inline void write_joined(const Joined& joined, bf16* row, int lane) {
  const float part = 1 / joined.sum;
  reinterpret_cast<uint2*>(row)[lane] =
      make_uint2(pack(joined.value.x * part, joined.value.y * part),
                 pack(joined.value.z * part, joined.value.w * part));
}

// RMS-normalises and turns one head; pairs of dimensions `lane` and `lane` + 32.
__device__ inline void turn_head(const bf16* head, const bf16* norm, const float2* turns,
                                 float epsilon, bf16* to, int lane) {
  const auto* pairs = reinterpret_cast<const uint32_t*>(head);
  const auto* factors = reinterpret_cast<const uint32_t*>(norm);
  const uint32_t first = pairs[lane], second = pairs[lane + 32];
  float x[4] = {low_half(first), high_half(first), low_half(second), high_half(second)};
  float sum = x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  const float length = rsqrtf(sum / kHeadDim + epsilon);
  const uint32_t low = factors[lane], high = factors[lane + 32];
  const uint32_t normed[2] = {
      pack(x[0] * length * low_half(low), x[1] * length * high_half(low)),
      pack(x[2] * length * low_half(high), x[3] * length * high_half(high))};
  const float a[2] = {low_half(normed[0]), high_half(normed[0])},
              b[2] = {low_half(normed[1]), high_half(normed[1])};
  const float2 turn[2] = {turns[2 * lane], turns[2 * lane + 1]};
  auto* result = reinterpret_cast<uint32_t*>(to);
  result[lane] = pack(a[0] * turn[0].x - b[0] * turn[0].y, a[1] * turn[1].x - b[1] * turn[1].y);
  result[lane + 32] =
      pack(b[0] * turn[0].x + a[0] * turn[0].y, b[1] * turn[1].x + a[1] * turn[1].y);
}

// Keys and values of 16 tokens as a lane takes them: keys `lane / 4` and + 8, of whose dimensions
// pair p of quarter i is i * 32 + t * 8 + 2 * p; values 2t, 2t + 1, 2t + 8 and 2t + 9, dimensions
// lane / 4 * 16 to + 16.
struct KeyTile {
  uint4 keys[2][4], values[4][2];

  // Those of tokens from `begin` on; past the last there is, the last again.
  __device__ void load(const bf16* all_keys, const bf16* all_values, int first, int begin, int last,
                       int lane) {
    const int g = lane / 4, t = lane % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int at = min(first + half * 8 + g, last);
      if (at < begin) continue;
      const bf16* key = all_keys + static_cast<size_t>(at) * kHeadDim + t * 8;
#pragma unroll
      for (int i = 0; i < 4; ++i) keys[half][i] = *reinterpret_cast<const uint4*>(key + i * 32);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int at = min(first + 2 * t + i % 2 + i / 2 * 8, last);
      if (at < begin) continue;
      const auto* value =
          reinterpret_cast<const uint4*>(all_values + static_cast<size_t>(at) * kHeadDim + g * 16);
      values[i][0] = value[0], values[i][1] = value[1];
    }
  }
};

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
  for (int row = warp; row < a.rows; row += kAttentionWarps)
    turn_head(projected + (head * a.rows + row) * kHeadDim, a.query_norm, turns, a.epsilon,
              turned[row], lane);
  if (split == a.splits - 1) {  // has the new token, which it alone reads
    const size_t at = static_cast<size_t>(length - 1) * kHeadDim;
    if (warp == kAttentionWarps - 1)
      turn_head(projected + (heads + head) * kHeadDim, a.key_norm, turns, a.epsilon, keys + at,
                lane);
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
