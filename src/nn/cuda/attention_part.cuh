#pragma once
// Attention as part of a step's kernel: a warp's first keys are copied to shared memory long before
// the new token's queries are there, the next are loaded into registers meanwhile.
#include "attention_tiles.cuh"

namespace prismvid::cuda {

// A pair of bf16 and the one 32 further, once those of all lanes are written: lanes that part
// shuffle many times slower.
__device__ __forceinline__ uint2 load_pairs(const uint32_t* from) {
  uint2 pairs;
  do pairs = {load_coherent(from), load_coherent(from + kWarp)};
  while (__any_sync(~0u, max(pairs.x, pairs.y) == kUnwritten));
  return pairs;
}

// Whether this block is the last of `count` to come; what the others wrote before is then seen.
__device__ inline bool comes_last(uint32_t* arrived, int count) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(arrived, 1) == static_cast<uint32_t>(count - 1);
  __syncthreads();
  if (!last) return false;
  __threadfence();
  if (threadIdx.x == 0) *arrived = 0;
  return true;
}

// The same in shared memory: 16 keys, then their values.
struct SharedTile {
  static constexpr int kRowBytes = 2 * kHeadDim + 16;  // lanes that read at a time: other banks
  char* rows;
  int lane;

  __device__ uint4 key(int half, int quarter) const {
    return piece(half * 8 + lane / 4, quarter * 64 + lane % 4 * 16);
  }
  __device__ uint4 value(int i, int half) const {
    return piece(16 + 2 * (lane % 4) + i % 2 + i / 2 * 8, lane / 4 * 32 + half * 16);
  }
  __device__ bf16* row(int index) const {
    return reinterpret_cast<bf16*>(rows + index * kRowBytes);
  }
  // Those of tokens from `first` to before `length`; of later ones zeros.
  __device__ void copy(const bf16* all_keys, const bf16* all_values, int first, int length) const {
#pragma unroll 4
    for (int i = 0; i < 16; ++i) {
      const int index = i % 8 * kWarp + lane, token = first + index / 16;
      const bf16* from = (i < 8 ? all_keys : all_values) + index % 16 * 8;
      const bool valid = token < length;
      copy_async<16>(shared_address(rows) + (i / 8 * 16 + index / 16) * kRowBytes + index % 16 * 16,
                     from + (valid ? static_cast<size_t>(token) * kHeadDim : 0), valid);
    }
  }

 private:
  __device__ uint4 piece(int row, int byte) const {
    return *reinterpret_cast<const uint4*>(rows + row * kRowBytes + byte);
  }
};
static_assert(32 * SharedTile::kRowBytes == kAttentionWarpBytes);

// What a warp has of its keys so far: the largest score, the sum of weights and of values.
struct Attended {
  float largest = -INFINITY, sum = 0, out[16][2] = {};  // out[j]: dimension g * 16 + j as column

  // 16 keys from `first` on, of which those before `length` count. `scale` is for powers of two.
  template <class Tile>
  __device__ void add(const Tile& tile, const uint32_t (&q)[16], int first, int length, float scale,
                      int t) {
    float score[2][2] = {};
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const uint4 k = tile.key(half, i);
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
#pragma unroll
    for (int piece = 0; piece < 2; ++piece) {
      uint4 values[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) values[i] = tile.value(i, piece);
      const auto word = [&](int key, int pair) {
        const uint4& four = values[key];
        return pair == 0 ? four.x : pair == 1 ? four.y : pair == 2 ? four.z : four.w;
      };
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const uint32_t halves = i % 2 ? 0x7632 : 0x5410;
        float(&d)[2] = out[piece * 8 + i];
        d[0] *= keep, d[1] *= keep;
        multiply_add_upper(d, low, high, __byte_perm(word(0, i / 2), word(1, i / 2), halves),
                           __byte_perm(word(2, i / 2), word(3, i / 2), halves));
      }
    }
  }

  // Of row g.
  __device__ void write(float* state, int t) const {
    if (t == 0) state[place<false>(kHeadDim)] = largest, state[place<false>(kHeadDim + 1)] = sum;
#pragma unroll
    for (int i = 0; i < 8; ++i) {  // columns 2t, 2t + 1 of tile j: dimensions 16 * column + j
      const int j = i % 4 * 4, half = i / 4;
      *reinterpret_cast<float4*>(state + place<false>((2 * t + half) * 16 + j)) =
          make_float4(out[j][half], out[j + 1][half], out[j + 2][half], out[j + 3][half]);
    }
  }
};

// One key head's part of the keys, by a block.
class AttentionPart {
 public:
  // `shared`: kAttentionPartBytes, `turned`: (kMostRows, kHeadDim).
  __device__ AttentionPart(const AttentionArguments& arguments, int head, int split, int token,
                           char* shared, bf16 (*turned)[kHeadDim])
      : a(arguments), head(head), split(split), token(token), shared_(shared), turned_(turned) {
    cache_ = a.caches[token];
    length_ = a.lengths[token] + 1;
    tiles_ = (length_ + 15) / 16;
    begin_ = tiles_ * split / a.splits;
    end_ = tiles_ * (split + 1) / a.splits;
    keys_ = cache_.keys + static_cast<size_t>(head) * cache_.capacity * kHeadDim;
    values_ = cache_.values + static_cast<size_t>(head) * cache_.capacity * kHeadDim;
  }

  // Starts copying what earlier steps wrote of each warp's first tile.
  __device__ void prefetch() const {
    if (begin_ + warp < end_)
      shared_tile(warp).copy(keys_, values_, (begin_ + warp) * 16, length_ - 1);
  }
  // Once what prefetch() copies is there.
  __device__ void run() const;

 private:
  __device__ SharedTile shared_tile(int of_warp) const {
    return {shared_ + of_warp * kAttentionWarpBytes, lane};
  }
  __device__ void turn(const bf16* from, const bf16* norm, const float2* turns, bf16* to) const {
    turn_head(from, load_pairs, norm, turns, a.epsilon, to, lane);
  }
  __device__ void turn_heads() const;
  __device__ void join() const;

  const AttentionArguments& a;
  int head, split, token;
  char* shared_;
  bf16 (*turned_)[kHeadDim];
  LayerCache cache_;
  int length_, tiles_, begin_, end_;
  bf16 *keys_, *values_;
  int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
};

// Turns the query heads and, where the part has the new token, writes its key and value: behind
// those of earlier tokens, and to the tile that is in shared memory.
__device__ inline void AttentionPart::turn_heads() const {
  const int heads = a.key_heads * a.rows;
  const bf16* projected =
      a.projected + static_cast<size_t>(token) * (heads + 2 * a.key_heads) * kHeadDim;
  const float2* turns = a.turns + token * (kHeadDim / 2);
  for (int row = warp; row < a.rows; row += kAttentionWarps)
    turn(projected + (head * a.rows + row) * kHeadDim, a.query_norm, turns, turned_[row]);
  if (split != a.splits - 1) return;
  const size_t at = static_cast<size_t>(length_ - 1) * kHeadDim;
  const int tile = tiles_ - 1 - begin_, row = (length_ - 1) % 16;
  const bool shared = tile < kAttentionWarps;
  const SharedTile to = shared_tile(tile % kAttentionWarps);
  if (warp == kAttentionWarps - 1) {
    bf16* key = shared ? to.row(row) : keys_ + at;
    turn(projected + (heads + head) * kHeadDim, a.key_norm, turns, key);
    __syncwarp();
    if (shared)
      reinterpret_cast<uint2*>(keys_ + at)[lane] = reinterpret_cast<const uint2*>(key)[lane];
  }
  if (warp == kAttentionWarps - 2) {
    const auto* value =
        reinterpret_cast<const uint32_t*>(projected + (heads + a.key_heads + head) * kHeadDim);
    static_assert(kHeadDim == 4 * kWarp);
    const uint2 pairs = load_pairs(value + lane);
    const auto put = [&](bf16* to) {
      auto* words = reinterpret_cast<uint32_t*>(to) + lane;
      words[0] = pairs.x, words[kWarp] = pairs.y;
    };
    put(values_ + at);
    if (shared) put(to.row(16 + row));
  }
}

__device__ inline void AttentionPart::run() const {
  const int g = lane / 4, t = lane % 4, second = begin_ + warp + kAttentionWarps;
  KeyTile next;
  if (second < end_) next.load(keys_, values_, second * 16, 0, max(length_ - 2, 0), lane);
  __syncthreads();  // the copies before what is written over them
  turn_heads();
  __syncthreads();
  uint32_t q[16] = {};
  if (g < a.rows) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const uint4 four = *reinterpret_cast<const uint4*>(&turned_[g][i * 32 + t * 8]);
      q[i * 4] = four.x, q[i * 4 + 1] = four.y, q[i * 4 + 2] = four.z, q[i * 4 + 3] = four.w;
    }
  }
  const float scale = a.scale * 1.44269504f;
  Attended attended;
  if (begin_ + warp < end_)
    attended.add(shared_tile(warp), q, (begin_ + warp) * 16, length_, scale, t);
  for (int tile = second; tile < end_; tile += kAttentionWarps) {
    if (tile != second)
      next.load(keys_, values_, tile * 16, 0, length_ - 1, lane);
    else if (tile == tiles_ - 1)  // the new token
      next.load(keys_, values_, tile * 16, length_ - 1, length_ - 1, lane);
    attended.add(next, q, tile * 16, length_, scale, t);
  }
  attended.sum += __shfl_xor_sync(~0u, attended.sum, 1);
  attended.sum += __shfl_xor_sync(~0u, attended.sum, 2);
  __syncwarp();  // its tile has been read
  if (g < a.rows)
    attended.write(
        reinterpret_cast<float*>(shared_ + warp * kAttentionWarpBytes) + g * kSharedState, t);
  __syncthreads();
  join();
}

// The warps' results, then those of the splits.
__device__ inline void AttentionPart::join() const {
  const int index = token * a.key_heads + head;
  const auto* states = reinterpret_cast<const float*>(shared_);
  bf16* out_rows = a.out + static_cast<size_t>(index) * a.rows * kHeadDim;
  float* parts = a.partial + static_cast<size_t>(index) * a.splits * kMostRows * kState;
  for (int row = warp; row < a.rows; row += kAttentionWarps) {
    const Joined joined = join_states<false>(states + row * kSharedState, kAttentionWarps,
                                             kAttentionWarpBytes / 4, lane);
    if (a.splits == 1) {
      write_joined(joined, out_rows + row * kHeadDim, lane);
      continue;
    }
    float* to = parts + (split * kMostRows + row) * kState;
    __stcg(reinterpret_cast<float4*>(to) + lane, joined.value);
    if (lane == 0)
      __stcg(reinterpret_cast<float4*>(to + kHeadDim),
             make_float4(joined.largest, joined.sum, 0, 0));
  }
  if (a.splits > 1 && comes_last(a.arrived + index, a.splits))
    for (int row = warp; row < a.rows; row += kAttentionWarps)
      write_joined(join_states<true>(parts + row * kState, a.splits, kMostRows * kState, lane),
                   out_rows + row * kHeadDim, lane);
}

}  // namespace prismvid::cuda
