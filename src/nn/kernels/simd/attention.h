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

/// Queries of the tile of kMaxTile in which `query` is.
static int tile_width(const AttendBlockArguments& a, int query) {
  const int left = a.query_count - query / kMaxTile * kMaxTile;
  return left < kMaxTile ? left : kMaxTile;
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
    for (int b = 0; b < blocks; ++b, keys += 64 * steps_) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        const int width = tile_width(a_, tile);
        const auto* x = reinterpret_cast<const std::uint8_t*>(queries_ + tile * steps_);
        in_parts<Dot::template kTokensTogether<0>>(width, [&]<int T>(int from) {
          float* out = scores[b][tile + from];
          for (int t = 0; t < T; ++t) V::store(out + 16 * t, V::zero());
          add_dense_tile<Dot, T>(keys, steps_, x + 4 * from, 4 * width, out);
        });
      }
    }
  }

 private:
  const AttendBlockArguments& a_;
  int steps_;
  alignas(64) std::uint32_t queries_[kQueriesTogether * kMaxHeadDim / Dot::kColumnsPerStep];
};

/// What queries make of values that are plain numbers.
template <class Dot>
class PlainMix {
 public:
  using V = typename Dot::Vector;
  using Floats = typename V::Floats;
  // Shares are of the largest score so far.
  static constexpr bool kOwnBase = false;

  explicit PlainMix(const AttendBlockArguments& a, ScoreBlock* mixed)
      : a_(a), blocks_(rounded_up(a.head_dim, 16) / 16), mixed_(mixed) {}

  static Floats exp2(Floats x) { return V::exp2(x); }
  /// Takes the shares of keys k to k + 15 of the step, and returns them as they count.
  Floats put(int t, int k, Floats share) {
    return Dot::store_row(reinterpret_cast<std::uint8_t*>(shares_[t] + k / Dot::kColumnsPerStep),
                          share);
  }
  void weigh(int t, float weight) {}

  /// Adds the values of `keys` keys from `first` on.
  void add(int first, int keys) {
    const std::uint8_t* values = a_.values + std::size_t(first) * blocks_ * 16 * kNumberBytes;
    for (int b = 0; b < blocks_; ++b, values += 64 * kSteps) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        in_parts<Dot::template kTokensTogether<0>>(tile_width(a_, tile), [&]<int T>(int from) {
          const auto* x = reinterpret_cast<const std::uint8_t*>(shares_[tile + from]);
          add_dense_tile<Dot, T, 4 * kSteps>(values, keys / Dot::kColumnsPerStep, x, 4,
                                             mixed_[b][tile + from]);
        });
      }
    }
  }

 private:
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
    for (int t = 0; t < a.query_count; ++t) {
      most_[t] = -__builtin_inff();
      sum_[t] = 0;
      for (int b = 0; b < blocks_; ++b) V::store(mixed_[b][t], V::zero());
    }
  }

  /// Takes in keys [first, first + kKeysTogether) or up to the last.
  void add_keys(int first) {
    const int left = a_.key_count - first, keys = left < kKeysTogether ? left : kKeysTogether;
    finder_.find(first, rounded_up(keys, 16) / 16, scores_);
    for (int t = 0; t < a_.query_count; ++t)
      scores_to_shares(t, keys - (a_.causal ? hidden(t, keys, left) : 0), rounded_up(keys, 16));
    mix_.add(first, rounded_up(keys, 16));
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

  /// Scores of query t become shares of the maximum's; what was mixed so far follows a new maximum.
  void scores_to_shares(int t, int seen, int keys) {
    const float factor = finder_.factor(t) * kLog2E;
    for (int k = seen; k < keys; ++k) scores_[k / 16][t][k % 16] = -__builtin_inff();
    Floats most = V::broadcast(-__builtin_inff());
    for (int k = 0; k < seen; k += 16) most = V::maximum(most, V::load(scores_[k / 16][t]));
    const float highest = V::max_of(most) * factor;
    const float now = highest > most_[t] ? highest : most_[t];
    const Floats base = V::broadcast(Mix::kOwnBase ? -highest : -now);
    Floats sum = V::zero();
    for (int k = 0; k < keys; k += 16) {
      const Floats x = V::multiply_add(V::load(scores_[k / 16][t]), V::broadcast(factor), base);
      sum = V::add(sum, mix_.put(t, k, seen > 0 ? Mix::exp2(x) : V::zero()));
    }
    const float weight = !Mix::kOwnBase || highest == now ? 1.0f : V::exp2_of(highest - now);
    mix_.weigh(t, seen == 0 ? 0 : weight);
    if (seen == 0) return;
    const float kept = most_[t] == now ? 1.0f : V::exp2_of(most_[t] - now);
    sum_[t] = sum_[t] * kept + V::sum(sum) * weight;
    most_[t] = now;
    if (kept == 1.0f) return;
    for (int b = 0; b < blocks_; ++b)
      V::store(mixed_[b][t], V::multiply(V::load(mixed_[b][t]), V::broadcast(kept)));
  }

  const AttendBlockArguments& a_;
  int blocks_;
  float most_[kQueriesTogether], sum_[kQueriesTogether];
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
