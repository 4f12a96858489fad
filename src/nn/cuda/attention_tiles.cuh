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

// RMS-normalises and turns one head; pairs of dimensions `lane` and `lane` + 32, which `load`
// brings.
template <class Load>
__device__ void turn_head(const bf16* head, const Load& load, const bf16* norm, const float2* turns,
                          float epsilon, bf16* to, int lane) {
  const auto* pairs = reinterpret_cast<const uint32_t*>(head);
  const auto* factors = reinterpret_cast<const uint32_t*>(norm);
  const uint32_t low = factors[lane], high = factors[lane + 32];
  const float2 turn[2] = {turns[2 * lane], turns[2 * lane + 1]};
  const uint2 halves = load(pairs + lane);
  const uint32_t first = halves.x, second = halves.y;
  float x[4] = {low_half(first), high_half(first), low_half(second), high_half(second)};
  float sum = x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  const float length = rsqrtf(sum / kHeadDim + epsilon);
  const uint32_t normed[2] = {
      pack(x[0] * length * low_half(low), x[1] * length * high_half(low)),
      pack(x[2] * length * low_half(high), x[3] * length * high_half(high))};
  const float a[2] = {low_half(normed[0]), high_half(normed[0])},
              b[2] = {low_half(normed[1]), high_half(normed[1])};
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

  __device__ uint4 key(int half, int quarter) const { return keys[half][quarter]; }
  __device__ uint4 value(int i, int half) const { return values[i][half]; }

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

}  // namespace prismvid::cuda
