#pragma once
// Which experts a token goes to, and their shares.
#include "device.cuh"
#include "expert_arguments.h"
#include "ordered_bits.cuh"

namespace prismvid::cuda {

struct Choice {
  int experts[kMostChosen];
  float shares[kMostChosen];
};

// The likeliest experts, equal ones by their numbers, with the softmax of all scores as shares. NaN
// scores make NaN shares. For a whole warp; every block that needs the choice makes it again, which
// takes less than telling it.
__device__ inline void choose_experts(const ExpertArguments& a, int token, Choice& choice) {
  constexpr int most = kMostExperts / kWarp;
  const int lane = threadIdx.x % kWarp;
  const float* scores = a.scores + static_cast<size_t>(token) * a.experts;
  float values[most];
  uint32_t keys[most];  // 0: not there, or chosen already
  float largest = -INFINITY;
#pragma unroll
  for (int i = 0; i < most; ++i) {
    const int expert = i * kWarp + lane;
    values[i] = expert < a.experts ? __ldcg(scores + expert) : -INFINITY;
    keys[i] = expert < a.experts ? max(ordered_bits(values[i]), 1u) : 0;
    largest = fmaxf(largest, values[i]);
  }
#pragma unroll
  for (int step = 16; step > 0; step /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
  float total = 0;
#pragma unroll
  for (int i = 0; i < most; ++i)
    if (i * kWarp + lane < a.experts) total += __expf(values[i] - largest);
#pragma unroll
  for (int step = 16; step > 0; step /= 2) total += __shfl_xor_sync(~0u, total, step);
  float share = 0, chosen_total = 0;
  for (int k = 0; k < a.chosen; ++k) {
    uint32_t key = 0;
#pragma unroll
    for (int i = 0; i < most; ++i) key = max(key, keys[i]);
    key = __reduce_max_sync(~0u, key);
    unsigned expert = ~0u;
#pragma unroll
    for (int i = most - 1; i >= 0; --i)
      if (keys[i] == key) expert = static_cast<unsigned>(i * kWarp + lane);
    expert = __reduce_min_sync(~0u, expert);
    float value = 0;
#pragma unroll
    for (int i = 0; i < most; ++i)
      if (expert == static_cast<unsigned>(i * kWarp + lane)) value = values[i], keys[i] = 0;
    value = __expf(__shfl_sync(~0u, value, expert % kWarp) - largest) / total;
    chosen_total += value;
    if (lane == k) share = value;
    if (lane == 0) choice.experts[k] = static_cast<int>(expert);
  }
  if (lane < a.chosen) choice.shares[lane] = a.normalize ? share / chosen_total : share;
}

}  // namespace prismvid::cuda
