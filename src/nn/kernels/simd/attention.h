// Attention without the (queries, keys) matrix, written once for all instruction sets: scores of
// kKeysTogether keys at a time, a running maximum and sum for each query (arXiv:2205.14135).
#pragma once

#include "nn/kernels/simd/dense_linear.h"
#include "nn/kernels/simd/some_numbers.h"

namespace prismvid::nn::kernels {

/// A row of numbers as the 4-byte steps of Dot, zeros up to whole sixteens.
template <class Dot>
void row_to_steps(const void* row, NumberType type, int columns, std::uint32_t* steps) {
  using V = typename Dot::Vector;
  if constexpr (Dot::kColumnsPerStep == 2) {
    steps[(columns - 1) / 2] = 0;
    __builtin_memcpy(steps, row, 2 * columns);
  } else {
    for (int k = 0; k < columns; k += 16)
      V::store(reinterpret_cast<float*>(steps + k),
               load_some<V>(number_at(row, type, k), type, columns - k));
  }
}

template <class Dot>
void pack_keys(const PackHeadArguments& a) {
  const int steps = a.head_dim / Dot::kColumnsPerStep;
  auto* out = reinterpret_cast<std::uint32_t*>(a.packed);
  for (int first = 0; first < a.tokens; first += 16, out += 16 * steps) {
    alignas(64) std::uint32_t rows[16][kMaxHeadDim] = {};
    const int count = a.tokens - first < 16 ? a.tokens - first : 16;
    for (int r = 0; r < count; ++r)
      row_to_steps<Dot>(number_at(a.input, a.input_type, (first + r) * a.input_stride),
                        a.input_type, a.head_dim, rows[r]);
    for (int s = 0; s < steps; ++s)
      for (int r = 0; r < 16; ++r) out[16 * s + r] = rows[r][s];
  }
}

template <class Dot>
void pack_values(const PackHeadArguments& a) {
  constexpr int kPerStep = Dot::kColumnsPerStep, kSteps = kKeysTogether / kPerStep;
  const int blocks = rounded_up(a.head_dim, 16) / 16;
  auto* tile = reinterpret_cast<std::uint32_t*>(a.packed);
  for (int first = 0; first < a.tokens; first += kKeysTogether, tile += 16 * kSteps * blocks) {
    for (int s = 0; s < kSteps; ++s) {
      alignas(64) std::uint32_t row[kMaxHeadDim] = {};
      for (int i = 0; i < kPerStep; ++i) {
        const int token = first + s * kPerStep + i;
        if (token >= a.tokens) break;
        const char* in = number_at(a.input, a.input_type, token * a.input_stride);
        if constexpr (kPerStep == 2) {
          std::uint16_t numbers[kMaxHeadDim];
          __builtin_memcpy(numbers, in, 2 * a.head_dim);
          for (int d = 0; d < a.head_dim; ++d) row[d] |= std::uint32_t{numbers[d]} << (16 * i);
        } else {
          row_to_steps<Dot>(in, a.input_type, a.head_dim, row);
        }
      }
      for (int b = 0; b < blocks; ++b)
        __builtin_memcpy(tile + (b * kSteps + s) * 16, row + 16 * b, 64);
    }
  }
}

/// Sixteen numbers of each query.
using ScoreBlock = float[kQueriesTogether][16];

/// Queries of the tile in which `query` is.
static int tile_width(const AttendBlockArguments& a, int query, int tile = kMaxTile) {
  const int left = a.query_count - query / tile * tile;
  return left < tile ? left : tile;
}

/// Scores of queries and keys that are plain numbers.
template <class Dot>
class PlainScores {
 public:
  using V = typename Dot::Vector;

  explicit PlainScores(const AttendBlockArguments& a)
      : a_(a), steps_(a.head_dim / Dot::kColumnsPerStep) {
    for (int t = 0; t < a.query_count; ++t) {
      alignas(64) std::uint32_t row[kMaxHeadDim];
      row_to_steps<Dot>(number_at(a.queries, a.type, t * a.query_stride), a.type, a.head_dim, row);
      const int tile = t / kMaxTile * kMaxTile, width = tile_width(a, t);
      std::uint32_t* out = queries_ + tile * steps_ + t - tile;
      for (int s = 0; s < steps_; ++s) out[s * width] = row[s];
    }
  }

  /// What brings the scores of query t to their size.
  float factor(int t) const { return a_.scale; }

  /// Of `blocks` times 16 keys from `first` on.
  void find(int first, int blocks, ScoreBlock* scores) const {
    const std::uint8_t* keys = a_.keys + std::size_t(first) * steps_ * 4;
    const std::size_t block_bytes = 64 * std::size_t(steps_);
    in_blocks<kDenseBlocks<Dot>>(blocks, [&]<int B>(int b) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        const int width = tile_width(a_, tile);
        const auto* x = reinterpret_cast<const std::uint8_t*>(queries_ + tile * steps_);
        in_parts<Dot::template kTokensTogether<0>>(width, [&]<int T>(int from) {
          float* const out[] = {scores[b][tile + from], scores[b + B - 1][tile + from]};
          add_dense_tile<Dot, B, T, 4, false>(keys + b * block_bytes, block_bytes, steps_,
                                              x + 4 * from, 4 * width, out);
        });
      }
    });
  }

 private:
  const AttendBlockArguments& a_;
  int steps_;
  alignas(64) std::uint32_t queries_[kQueriesTogether * kMaxHeadDim / Dot::kColumnsPerStep];
};

/// Lane i: what `together` makes of row i, which `one` makes of one vector.
template <class V, class Together, class One>
typename V::Floats across_rows(const float (*rows)[16], Together together, One one) {
  if constexpr (requires { V::across_rows(rows, together); }) {
    return V::across_rows(rows, together);
  } else {
    alignas(64) float numbers[16];
    for (int i = 0; i < 16; ++i) numbers[i] = one(V::load(rows[i]));
    return V::load(numbers);
  }
}

/// What the shares of a step weigh against those before it, and their sum so weighed.
struct StepSums {
  alignas(64) float weights[kQueriesTogether], sums[kQueriesTogether];
};

/// What queries make of values that are plain numbers.
template <class Dot>
class PlainMix {
 public:
  using V = typename Dot::Vector;
  using Floats = typename V::Floats;
  // Shares are of the largest score so far.
  static constexpr bool kOwnBase = false, kRefines = false;
  static constexpr float kLargestShare = 1;
  static constexpr int kBlocksPerPut = 1;

  explicit PlainMix(const AttendBlockArguments& a, ScoreBlock* mixed)
      : a_(a), blocks_(rounded_up(a.head_dim, 16) / 16), mixed_(mixed) {}

  // Of what bf16 keeps of a share, the quicker one costs a twentieth.
  static Floats exp2(Floats x) {
    if constexpr (Dot::kColumnsPerStep == 2)
      return V::exp2_of_negative(x);
    else
      return V::exp2(x);
  }
  /// Takes the shares of kBlocksPerPut blocks of 16 keys, which share(i) gives, and returns their
  /// sums as they count.
  template <class Share>
  Floats put(int t, int block, Share share) {
    auto* out = shares_[t] + 16 / Dot::kColumnsPerStep * block;
    return Dot::store_row(reinterpret_cast<std::uint8_t*>(out), share(0));
  }

  /// Adds the values of `keys` keys from `first` on.
  void add(int first, int keys, const StepSums&) {
    const std::uint8_t* values = a_.values + std::size_t(first) * blocks_ * 16 * kNumberBytes;
    in_blocks<kDenseBlocks<Dot>>(blocks_, [&]<int B>(int b) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        in_parts<Dot::template kTokensTogether<0>>(tile_width(a_, tile), [&]<int T>(int from) {
          const auto* x = reinterpret_cast<const std::uint8_t*>(shares_[tile + from]);
          float* const out[] = {mixed_[b][tile + from], mixed_[b + B - 1][tile + from]};
          add_dense_tile<Dot, B, T, 4 * kSteps>(values + b * 64 * kSteps, 64 * kSteps,
                                                keys / Dot::kColumnsPerStep, x, 4, out);
        });
      }
    });
  }

 protected:
  static constexpr int kSteps = kKeysTogether / Dot::kColumnsPerStep;
  static constexpr int kNumberBytes = 4 / Dot::kColumnsPerStep;

  const AttendBlockArguments& a_;
  int blocks_;
  ScoreBlock* mixed_;
  alignas(64) std::uint32_t shares_[kQueriesTogether][kSteps];
};

/// Queries of one head on their way through the keys.
template <class Scores, class Mix>
class QueryBlock {
 public:
  using V = typename Scores::V;
  using Floats = typename V::Floats;

  explicit QueryBlock(const AttendBlockArguments& a)
      : a_(a), blocks_(rounded_up(a.head_dim, 16) / 16), finder_(a), mix_(a, mixed_) {
    for (int t = 0; t < kQueriesTogether; ++t) {
      most_[t] = kLowest;
      sum_[t] = step_.sums[t] = 0;
      step_.weights[t] = 1;
      factors_[t] = t < a.query_count ? finder_.factor(t) * kLog2E : 1;
      V::store(parts_[t], V::zero());
    }
    for (int t = 0; t < a.query_count; ++t)
      for (int b = 0; b < blocks_; ++b) V::store(mixed_[b][t], V::zero());
  }

  /// Takes in keys [first, first + kKeysTogether) or up to the last.
  void add_keys(int first) {
    const int left = a_.key_count - first, keys = left < kKeysTogether ? left : kKeysTogether;
    const int padded = rounded_up(keys, 16 * Mix::kBlocksPerPut);
    finder_.find(first, rounded_up(keys, 16) / 16, scores_);
    for (int t = 0; t < a_.query_count; ++t)
      find_highest(t, keys - (a_.causal ? hidden(t, keys, left) : 0), padded);
    follow_highest();
    for (int t = 0; t < a_.query_count; ++t) scores_to_shares(t, padded);
    add_sums();
    for (int t = 0; t < a_.query_count; ++t) finish_shares(t, padded);
    mix_.add(first, padded, step_);
  }

  void finish() const {
    for (int t = 0; t < a_.query_count; ++t) {
      const Floats share = V::broadcast(1 / sum_[t]);
      char* out = static_cast<char*>(a_.output) + t * a_.output_stride * byte_size(a_.type);
      for (int b = 0; b < blocks_; ++b)
        store_some<V>(out + 16 * b * byte_size(a_.type), a_.type, a_.head_dim - 16 * b,
                      V::multiply(V::load(mixed_[b][t]), share));
    }
  }

 private:
  /// How many of a step's keys query t does not see, when `left` are left for the last one.
  int hidden(int t, int keys, int left) const {
    const int seen = left - (a_.query_count - 1 - t);
    return seen >= keys ? 0 : seen < 0 ? keys : keys - seen;
  }

  /// Of what query t sees; the rest is hidden.
  void find_highest(int t, int seen, int keys) {
    for (int k = seen; k < keys; ++k) scores_[k / 16][t][k % 16] = -__builtin_inff();
    Floats most = V::broadcast(-__builtin_inff());
    for (int b = 0; b < rounded_up(seen, 16) / 16; ++b)
      most = V::maximum(most, V::load(scores_[b][t]));
    V::store(parts_[t], most);
  }

  Floats most_of_parts(int t) const {
    return across_rows<V>(
        parts_ + t, [](Floats x, Floats y) { return V::maximum(x, y); }, V::max_of);
  }
  Floats sums_of_parts(int t) const {
    return across_rows<V>(
        parts_ + t, [](Floats x, Floats y) { return V::add(x, y); }, V::sum);
  }

  void follow_highest() {
    const Floats largest = V::broadcast(__builtin_log2f(Mix::kLargestShare));
    for (int t = 0; t < a_.query_count; t += 16) {
      const Floats highest =
          V::maximum(V::broadcast(kLowest), V::multiply(most_of_parts(t), V::load(factors_ + t)));
      const Floats before = V::load(most_ + t), now = V::maximum(highest, before);
      V::store(kept_ + t, V::exp2(V::subtract(before, now)));
      V::store(most_ + t, now);
      V::store(bases_ + t, V::subtract(largest, Mix::kOwnBase ? highest : now));
      if (Mix::kOwnBase) V::store(step_.weights + t, V::exp2(V::subtract(highest, now)));
    }
  }

  /// The shares of a step's block of 16 keys.
  Floats share(int t, int block) const {
    return Mix::exp2(V::multiply_add(V::load(scores_[block][t]), V::broadcast(factors_[t]),
                                     V::broadcast(bases_[t])));
  }

  void scores_to_shares(int t, int keys) {
    Floats sum = V::zero();
    for (int b = 0; 16 * b < keys; b += Mix::kBlocksPerPut)
      sum = V::add(sum, mix_.put(t, b, [&](int i) { return share(t, b + i); }));
    V::store(parts_[t], sum);
  }

  void add_sums() {
    for (int t = 0; t < a_.query_count; t += 16) {
      const Floats sum = V::multiply(sums_of_parts(t), V::load(step_.weights + t));
      V::store(step_.sums + t, sum);
      V::store(sum_ + t, V::multiply_add(V::load(sum_ + t), V::load(kept_ + t), sum));
    }
  }

  /// What was mixed so far follows a new maximum.
  void finish_shares(int t, int keys) {
    if constexpr (Mix::kRefines)
      if (mix_.wants_more(step_.weights[t], sum_[t]))
        mix_.refine(t, keys, [&](int b) { return share(t, b); });
    if (kept_[t] == 1.0f) return;
    for (int b = 0; b < blocks_; ++b)
      V::store(mixed_[b][t], V::multiply(V::load(mixed_[b][t]), V::broadcast(kept_[t])));
  }

  // Far from infinity, so that differences are numbers.
  static constexpr float kLowest = -3e38f;

  const AttendBlockArguments& a_;
  int blocks_;
  // Of each query: what brings scores to powers of two, the largest of all so far, what the shares
  // before the step are worth since, the exponent of the step's largest share.
  alignas(64) float factors_[kQueriesTogether], most_[kQueriesTogether], kept_[kQueriesTogether],
      bases_[kQueriesTogether], sum_[kQueriesTogether];
  alignas(64) ScoreBlock parts_;  // of what becomes one number for each query
  StepSums step_;
  Scores finder_;
  alignas(64) ScoreBlock scores_[kKeysTogether / 16];
  alignas(64) ScoreBlock mixed_[kMaxHeadDim / 16];
  Mix mix_;
};

template <class Scores, class Mix>
void attend_block(const AttendBlockArguments& a) {
  QueryBlock<Scores, Mix> block(a);
  for (int first = 0; first < a.key_count; first += kKeysTogether) block.add_keys(first);
  block.finish();
}

template <class Dot>
void attend_block(const AttendBlockArguments& a) {
  attend_block<PlainScores<Dot>, PlainMix<Dot>>(a);
}

}  // namespace prismvid::nn::kernels
