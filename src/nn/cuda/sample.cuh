#pragma once
// Draws the next tokens as nn::Sampler does, without sorting the vocabulary: penalties, then the
// smallest logit that top-k or top-p keeps, bit by bit, then the token at which the weights of
// those kept reach a share of them all. Weights are whole numbers relative to the largest, so that
// sums do not depend on their order.
#include "ordered_bits.cuh"
#include "sample_arguments.h"
#include "token.cuh"

namespace prismvid::cuda {

using Weight = unsigned long long;
constexpr int kWeightBits = 36;  // of the largest: sums of a block fit into two numbers of 32 bits

__device__ __forceinline__ bool draws(const SampleRule& rule, const SampleState& state) {
  return rule.scale > 0 && isfinite(state.best);
}
__device__ __forceinline__ bool has_edge(const SampleRule& rule, const SampleState& state) {
  return draws(rule, state) && (rule.top_k > 0 || rule.top_p < 1);
}
// Minus infinity and NaN have no chance.
__device__ __forceinline__ bool has_chance(float logit) {
  return logit > -INFINITY;
}
__device__ __forceinline__ Weight weight_of(const SampleRule& rule, const SampleState& state,
                                            float logit) {
  if (!has_chance(logit)) return 0;
  return __float2ull_rn(exp2f((logit - state.best) * rule.scale) * float(1ull << kWeightBits));
}
__device__ __forceinline__ Weight with_min_p(const SampleRule& rule, Weight weight) {
  return static_cast<float>(weight) < rule.min_p * float(1ull << kWeightBits) ? 0 : weight;
}

// Sum of what the threads below have, and of all. Every thread of a block of kSampleThreads.
struct Scan {
  Weight before, total;
};
__device__ inline Scan scan_block(Weight value) {
  __shared__ Weight sums[kSampleThreads / kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  Weight until = value;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const Weight other = __shfl_up_sync(~0u, until, step);
    if (lane >= step) until += other;
  }
  __syncthreads();  // those of the scan before were read
  if (lane == kWarp - 1) sums[warp] = until;
  __syncthreads();
  Scan scan{until - value, 0};
  for (int i = 0; i < kSampleThreads / kWarp; ++i) {
    if (i < warp) scan.before += sums[i];
    scan.total += sums[i];
  }
  return scan;
}

// Whether this block of a token is its last; what the others wrote is then to be seen.
__device__ inline bool comes_last(const SampleArguments& a, int token) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    last = atomicAdd(a.next.arrived + token, 1) == kSampleBlocks - 1;
    if (last) a.next.arrived[token] = 0;
  }
  __syncthreads();
  __threadfence();
  return last;
}

// As Sampler::penalize(), and what is outside the mask has no chance.
__device__ __forceinline__ float changed(const SampleRule& rule, float logit, int id) {
  if (rule.mask && (rule.mask[id / 32] >> id % 32 & 1) == 0) return -INFINITY;
  if (const int count = rule.counts ? rule.counts[id] : 0; count > 0) {
    logit = logit > 0 ? logit / rule.repetition : logit * rule.repetition;
    logit -= rule.presence + rule.frequency * static_cast<float>(count);
  }
  return rule.biases ? logit + rule.biases[id] : logit;
}

// Penalises and finds the largest. Grid of all: (kSampleBlocks, tokens), kSampleThreads.
extern "C" __global__ void __launch_bounds__(kSampleThreads)
    start_sample(const __grid_constant__ SampleArguments a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int token = blockIdx.y, vocabulary = a.next.vocabulary;
  const SampleRule rule = a.rules[token];
  float* logits = const_cast<float*>(a.next.logits) + static_cast<size_t>(token) * vocabulary;
  const bool changes = rule.counts || rule.biases || rule.mask;
  float value = -INFINITY;
  int index = 0x7fffffff;
  for (int i = blockIdx.x * kSampleThreads + threadIdx.x; i < vocabulary;
       i += kSampleBlocks * kSampleThreads) {
    float logit = logits[i];
    if (changes) logits[i] = logit = changed(rule, logit, i);
    keep_larger(value, index, logit, i);
  }
  largest_of_block(value, index);
  float2* partial = a.next.partial + token * kSampleBlocks;
  if (threadIdx.x == 0) __stcg(partial + blockIdx.x, make_float2(value, __int_as_float(index)));
  if (!comes_last(a, token) || threadIdx.x != 0) return;
  for (int i = 0; i < kSampleBlocks; ++i) {
    const float2 part = __ldcg(partial + i);
    keep_larger(value, index, part.x, __float_as_int(part.y));
  }
  SampleState state{};
  state.uniform = a.uniforms[a.next.step[token] % kHistory * gridDim.y + token];
  state.best = value;
  state.best_id = index == 0x7fffffff ? 0 : index;
  a.states[token] = state;
}

__device__ __forceinline__ int edge_shift(int pass) {
  return pass == 0 ? 21 : pass == 1 ? 10 : 0;
}
__device__ __forceinline__ int edge_bits(int pass) {
  return pass == 2 ? 10 : 11;
}

// From what the bins of all blocks hold, the bin in which the edge lies. Whole block.
__device__ inline void narrow_edge(const SampleArguments& a, int token, const SampleRule& rule) {
  constexpr int each = kEdgeBins / kSampleThreads;
  SampleState& state = a.states[token];
  Weight* bins = a.bins + token * kEdgeBins;
  const int first = kEdgeBins - 1 - static_cast<int>(threadIdx.x) * each;  // and downwards
  Weight mine[each], sum = 0;
#pragma unroll
  for (int i = 0; i < each; ++i) {
    mine[i] = __ldcg(bins + first - i);
    bins[first - i] = 0;
    sum += mine[i];
  }
  const Scan scan = scan_block(sum);
  Weight wanted = state.wanted, above = state.above + scan.before;
  if (a.pass == 0)
    wanted = rule.top_k > 0
                 ? min(static_cast<Weight>(rule.top_k), scan.total)
                 : static_cast<Weight>(ceil(double(rule.top_p) * static_cast<double>(scan.total)));
  __syncthreads();  // all have read the state
  if (above >= wanted || above + sum < wanted) return;
  int i = 0;
#pragma unroll
  for (int j = 0; j < each; ++j)
    if (i == j && above + mine[j] < wanted) above += mine[j], ++i;
  state.wanted = wanted;
  state.above = above;
  state.edge |= static_cast<uint32_t>(first - i) << edge_shift(a.pass);
  if (a.pass < kEdgePasses - 1) return;
  const Weight each_of_them = rule.top_k > 0 ? 1 : weight_of(rule, state, number_of(state.edge));
  state.equals = static_cast<int>((wanted - above + each_of_them - 1) / each_of_them);
}

// One pass over the logits makes 11 or 10 more bits of the edge known.
extern "C" __global__ void __launch_bounds__(kSampleThreads)
    find_edge(const __grid_constant__ SampleArguments a) {
  __shared__ uint32_t low[kEdgeBins], high[kEdgeBins];
  let_next_kernel_start();
  for (int i = threadIdx.x; i < kEdgeBins; i += kSampleThreads) low[i] = high[i] = 0;
  wait_for_previous_kernel();
  __syncthreads();
  const int token = blockIdx.y, vocabulary = a.next.vocabulary;
  const SampleRule rule = a.rules[token];
  const SampleState state = a.states[token];
  if (!has_edge(rule, state)) return;
  const float* logits = a.next.logits + static_cast<size_t>(token) * vocabulary;
  const int shift = edge_shift(a.pass), bits = edge_bits(a.pass);
  constexpr Weight half = (1 << kWeightBits / 2) - 1;
  for (int i = blockIdx.x * kSampleThreads + threadIdx.x; i < vocabulary;
       i += kSampleBlocks * kSampleThreads) {
    const uint32_t key = ordered_bits(logits[i]);
    const bool inside = a.pass == 0 || (key ^ state.edge) >> (shift + bits) == 0;
    if (!inside || !has_chance(logits[i])) continue;
    const uint32_t bin = key >> shift & ((1u << bits) - 1);
    if (rule.top_k > 0) {
      atomicAdd(low + bin, 1);
    } else {
      const Weight weight = weight_of(rule, state, logits[i]);
      atomicAdd(low + bin, static_cast<uint32_t>(weight & half));
      atomicAdd(high + bin, static_cast<uint32_t>(weight >> (kWeightBits / 2)));
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kEdgeBins; i += kSampleThreads) {
    const Weight sum = (static_cast<Weight>(high[i]) << (kWeightBits / 2)) + low[i];
    if (sum > 0) atomicAdd(a.bins + token * kEdgeBins + i, sum);
  }
  if (comes_last(a, token)) narrow_edge(a, token, rule);
}

// The ids that a block looks at, and those of one of its threads: each one behind the other.
struct Range {
  int first, end;
};
__device__ __forceinline__ Range range_of(int vocabulary, int block) {
  const int each = (vocabulary + kSampleBlocks - 1) / kSampleBlocks;
  return {block * each, min(vocabulary, (block + 1) * each)};
}
__device__ __forceinline__ Range part_of(Range range) {
  const int each = (range.end - range.first + kSampleThreads - 1) / kSampleThreads;
  const int first = min(range.end, range.first + static_cast<int>(threadIdx.x) * each);
  return {first, min(range.end, first + each)};
}

// One token's vocabulary as the kernel that draws sees it.
struct Draw {
  const SampleRule& rule;
  const SampleState& state;
  const float* logits;

  __device__ bool is_above(int id) const {
    return has_chance(logits[id]) && ordered_bits(logits[id]) > state.edge;
  }
  __device__ bool is_at_edge(int id) const { return ordered_bits(logits[id]) == state.edge; }
  __device__ Weight weight(int id) const {
    return with_min_p(rule, weight_of(rule, state, logits[id]));
  }
};

__device__ __forceinline__ int kept_of(int wanted, Weight before, int there) {
  const int64_t left = static_cast<int64_t>(wanted) - static_cast<int64_t>(before);
  return static_cast<int>(max(int64_t{0}, min(left, static_cast<int64_t>(there))));
}

// Sum of weights above the edge and number at it, of the block's ids; top-k: lists those above.
__device__ inline void sum_range(const SampleArguments& a, int token, const Draw& draw) {
  const Range range = range_of(a.next.vocabulary, blockIdx.x);
  Weight sum = 0, equals = 0;
  for (int id = range.first + static_cast<int>(threadIdx.x); id < range.end; id += kSampleThreads) {
    if (draw.is_above(id)) {
      if (draw.rule.top_k == 0) {
        sum += draw.weight(id);
      } else {
        const uint32_t place = atomicAdd(&a.states[token].listed, 1);
        a.list[token * kMostTopK + place] =
            static_cast<Weight>(ordered_bits(draw.logits[id])) << 32 | ~static_cast<uint32_t>(id);
      }
    } else if (draw.is_at_edge(id)) {
      ++equals;
    }
  }
  const Weight all = scan_block(sum).total, all_equals = scan_block(equals).total;
  if (threadIdx.x == 0)
    __stcg(a.sums + token * kSampleBlocks + blockIdx.x, make_ulonglong2(all, all_equals));
}

// The id at which the weights of a range, of whose ids at the edge `wanted` are kept, pass `point`.
// The thread that has it calls `found`.
template <typename Found>
__device__ void find_in_range(const Draw& draw, Range range, int wanted, Weight point,
                              const Found& found) {
  const Range part = part_of(range);
  Weight sum = 0;
  int equals = 0;
  for (int id = part.first; id < part.end; ++id) {
    if (draw.is_above(id)) sum += draw.weight(id);
    equals += draw.is_at_edge(id);
  }
  int kept = kept_of(wanted, scan_block(equals).before, equals);
  if (kept > 0)
    sum +=
        kept * with_min_p(draw.rule, weight_of(draw.rule, draw.state, number_of(draw.state.edge)));
  Weight at = scan_block(sum).before;
  if (point < at || point >= at + sum) return;
  for (int id = part.first; id < part.end; ++id) {
    if (draw.is_above(id) || (draw.is_at_edge(id) && kept-- > 0)) at += draw.weight(id);
    if (point < at) return found(id);
  }
}

__device__ __forceinline__ Weight point_of(double uniform, Weight total) {
  return min(static_cast<Weight>(uniform * static_cast<double>(total)), total - 1);
}

// In the order of ids. Whole block.
template <typename Found>
__device__ void draw_by_id(const SampleArguments& a, int token, const Draw& draw,
                           const Found& found) {
  __shared__ int range, wanted;
  __shared__ Weight point;
  const bool mine = threadIdx.x < kSampleBlocks;
  ulonglong2 part{0, 0};
  if (mine) part = __ldcg(a.sums + token * kSampleBlocks + threadIdx.x);
  const Weight equals_before = scan_block(part.y).before;
  const int kept = kept_of(draw.state.equals, equals_before, static_cast<int>(part.y));
  if (kept > 0)
    part.x +=
        kept * with_min_p(draw.rule, weight_of(draw.rule, draw.state, number_of(draw.state.edge)));
  const Scan scan = scan_block(part.x);
  const Weight all = point_of(draw.state.uniform, scan.total);
  if (mine && all >= scan.before && all < scan.before + part.x)
    range = static_cast<int>(threadIdx.x), point = all - scan.before, wanted = kept;
  __syncthreads();
  find_in_range(draw, range_of(a.next.vocabulary, range), wanted, point, found);
}

// Lists the ids at the edge that top-k keeps. Whole block.
__device__ inline void list_equals(const SampleArguments& a, int token, const Draw& draw) {
  uint32_t place = __ldcg(&a.states[token].listed);
  int wanted = draw.state.equals;
  for (int block = 0; block < kSampleBlocks && wanted > 0; ++block) {
    const int there = static_cast<int>(__ldcg(a.sums + token * kSampleBlocks + block).y);
    if (there == 0) continue;
    const Range part = part_of(range_of(a.next.vocabulary, block));
    int equals = 0;
    for (int id = part.first; id < part.end; ++id) equals += draw.is_at_edge(id);
    int at = static_cast<int>(scan_block(equals).before);
    for (int id = part.first; id < part.end && at < wanted; ++id)
      if (draw.is_at_edge(id))
        a.list[token * kMostTopK + place + at++] =
            static_cast<Weight>(draw.state.edge) << 32 | ~static_cast<uint32_t>(id);
    place += min(there, wanted);
    wanted -= there;
  }
}

// Largest first. A thread a number.
__device__ inline Weight sorted(Weight mine) {
  __shared__ Weight numbers[kSampleThreads];
  const unsigned at = threadIdx.x;
  for (unsigned size = 2; size <= kSampleThreads; size *= 2)
    for (unsigned step = size / 2; step > 0; step /= 2) {
      __syncthreads();
      numbers[at] = mine;
      __syncthreads();
      const Weight other = numbers[at ^ step];
      const bool larger = ((at & step) == 0) == ((at & size) == 0);
      mine = larger ? max(mine, other) : min(mine, other);
    }
  return mine;
}

// Among the listed, likeliest first. Whole block.
template <typename Found>
__device__ void draw_by_rank(const SampleArguments& a, int token, const Draw& draw,
                             const Found& found) {
  list_equals(a, token, draw);
  __threadfence();
  __syncthreads();
  const Weight count = draw.state.wanted;
  const Weight entry =
      sorted(threadIdx.x < count ? __ldcg(a.list + token * kMostTopK + threadIdx.x) : 0);
  Weight weight = threadIdx.x < count ? weight_of(draw.rule, draw.state,
                                                  number_of(static_cast<uint32_t>(entry >> 32)))
                                      : 0;
  if (draw.rule.top_p < 1) {
    const Scan scan = scan_block(weight);
    const double enough = double(draw.rule.top_p) * static_cast<double>(scan.total);
    if (static_cast<double>(scan.before) >= enough) weight = 0;
  }
  weight = with_min_p(draw.rule, weight);
  const Scan scan = scan_block(weight);
  const Weight point = point_of(draw.state.uniform, scan.total);
  if (point >= scan.before && point < scan.before + weight)
    found(static_cast<int>(~static_cast<uint32_t>(entry)));
}

extern "C" __global__ void __launch_bounds__(kSampleThreads)
    draw_sample(const __grid_constant__ SampleArguments a) {
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int token = blockIdx.y;
  const SampleRule rule = a.rules[token];
  const SampleState state = a.states[token];
  const Draw draw{rule, state, a.next.logits + static_cast<size_t>(token) * a.next.vocabulary};
  const bool drawn = draws(rule, state);
  if (drawn) sum_range(a, token, draw);
  if (!comes_last(a, token)) return;
  const auto found = [&](int id) {
    if (rule.counts) ++rule.counts[id];
    move_on(a.next, token, id);
  };
  if (!drawn) {
    if (threadIdx.x == 0) found(state.best_id);
  } else if (rule.top_k > 0) {
    draw_by_rank(a, token, draw, found);
  } else {
    draw_by_id(a, token, draw, found);
  }
}

}  // namespace prismvid::cuda
