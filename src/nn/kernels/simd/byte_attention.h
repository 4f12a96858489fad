// Attention in whole numbers: scores of bytes, with a scale for each query and each key; shares and
// values with one for each channel of kKeysTogether values, of bytes too where an instruction sums
// up their products exactly. Elsewhere shares and values have 16 bits, and bytes are multiplied as
// such.
#pragma once

#include "nn/kernels/simd/attention.h"

namespace prismvid::nn::kernels {

/// Products of 16-bit numbers: two columns in a step.
template <class V>
struct WordDot {
  using Vector = V;
  using Sum = typename V::Bytes;
  template <int kBits>
  static Sum dot_repeated(Sum sum, typename V::Bytes words, typename V::Bytes two_words) {
    return V::dot_words(sum, words, two_words);
  }
};

/// Keys as bytes, kOffset more than they count, which each query takes off beforehand.
template <class V>
struct ByteKeys {
  using Vector = V;
  using Dot = ByteDot<V>;
  static constexpr int kChannelsPerStep = 4, kOffset = 128;
  static std::uint32_t query_step(const std::int8_t* channels) {
    std::uint32_t four;
    __builtin_memcpy(&four, channels, 4);
    return four;
  }
  static std::uint32_t key_step(const std::int8_t* channels) {
    return query_step(channels) ^ 0x80808080u;
  }
};

/// The same bytes as 16-bit numbers.
template <class V>
struct WordKeys {
  using Vector = V;
  using Dot = WordDot<V>;
  static constexpr int kChannelsPerStep = 2, kOffset = 0;
  static std::uint32_t query_step(const std::int8_t* channels) {
    const std::int16_t two[] = {channels[0], channels[1]};
    std::uint32_t step;
    __builtin_memcpy(&step, two, 4);
    return step;
  }
  static std::uint32_t key_step(const std::int8_t* channels) { return query_step(channels); }
};

template <class Keys>
constexpr int key_steps(int head_dim) {
  return rounded_up(head_dim, Keys::kChannelsPerStep) / Keys::kChannelsPerStep;
}

/// Bytes of a packed block of 16 keys: its steps, then the keys' scales.
template <class Keys>
constexpr std::size_t key_block_bytes(int head_dim) {
  return 64 * (std::size_t(key_steps<Keys>(head_dim)) + 1);
}

/// Of kKeysTogether packed values of 16 channels: two keys in a step, then the channels' scales.
static constexpr std::size_t kValueBlockBytes = 64 * (kKeysTogether / 2 + 1);

/// One head's vector as bytes around 0, with its scale.
template <class V>
struct RoundedVector {
  alignas(64) std::int8_t bytes[kMaxHeadDim];
  float scale;

  /// `offset`: what is taken off each channel, or null.
  RoundedVector(const void* in, NumberType type, int head_dim, const float* offset) {
    alignas(64) float numbers[kMaxHeadDim];
    auto most = V::zero_bytes();
    for (int d = 0; d < head_dim; d += 16) {
      auto x = load_some<V>(number_at(in, type, d), type, head_dim - d);
      if (offset != nullptr) x = V::subtract(x, V::load(offset + d));
      V::store(numbers + d, x);
      most = V::max_magnitude(most, x);
    }
    const ByteScale factor = byte_scale(V::max_lane(most));
    scale = factor.scale;
    for (int d = 0; d < head_dim; d += 16)
      V::store_narrow(bytes + d, V::to_integers(V::multiply(V::load(numbers + d),
                                                            V::broadcast(factor.inverse))));
  }
};

/// Stores the mean of `count` vectors with this sum; what is not finite stays with its own key.
template <class V>
void store_mean(typename V::Floats sum, int count, float* mean) {
  V::store(mean, V::multiply(sum, V::broadcast(1.0f / static_cast<float>(count))));
  for (int i = 0; i < 16; ++i)
    if (!(mean[i] - mean[i] == 0)) mean[i] = 0;
}

/// The mean of the first keys, which all scores of a query may do without: what is left rounds
/// finer (arXiv:2410.02367). Of the first ones alone, so that later keys change no key before.
template <class V>
void mean_of_first_keys(const PackHeadArguments& a, float* mean) {
  const int count = a.tokens < kKeysTogether ? a.tokens : kKeysTogether;
  for (int d = 0; d < a.head_dim; d += 16) {
    auto sum = V::zero();
    for (int t = 0; t < count; ++t)
      sum = V::add(sum, load_some<V>(number_at(a.input, a.input_type, t * a.input_stride + d),
                                     a.input_type, a.head_dim - d));
    store_mean<V>(sum, count, mean + d);
  }
}

template <class Keys>
void pack_byte_keys(const PackHeadArguments& a) {
  using V = typename Keys::Vector;
  alignas(64) float mean[kMaxHeadDim];
  mean_of_first_keys<V>(a, mean);
  const int steps = key_steps<Keys>(a.head_dim);
  std::uint8_t* out = a.packed;
  for (int first = 0; first < a.tokens; first += 16, out += key_block_bytes<Keys>(a.head_dim)) {
    auto* words = reinterpret_cast<std::uint32_t*>(out);
    auto* scales = reinterpret_cast<float*>(out + 64 * steps);
    for (int r = 0; r < 16; ++r) {
      if (first + r >= a.tokens) {
        for (int s = 0; s <= steps; ++s) words[16 * s + r] = 0;
        continue;
      }
      const RoundedVector<V> key(number_at(a.input, a.input_type, (first + r) * a.input_stride),
                                 a.input_type, a.head_dim, mean);
      for (int s = 0; s < steps; ++s)
        words[16 * s + r] = Keys::key_step(key.bytes + Keys::kChannelsPerStep * s);
      scales[r] = key.scale;
    }
  }
}

/// Scores of bytes.
template <class Keys>
class ByteScores {
 public:
  using V = typename Keys::Vector;

  explicit ByteScores(const AttendBlockArguments& a) : a_(a), steps_(key_steps<Keys>(a.head_dim)) {
    for (int t = 0; t < a.query_count; ++t) {
      const RoundedVector<V> query(number_at(a.queries, a.type, t * a.query_stride), a.type,
                                   a.head_dim, nullptr);
      const int tile = t / kMaxTile * kMaxTile, width = tile_width(a, t);
      std::uint32_t* out = queries_ + tile * steps_ + t - tile;
      int sum = 0;
      for (int d = 0; d < Keys::kChannelsPerStep * steps_; ++d) sum += query.bytes[d];
      for (int s = 0; s < steps_; ++s)
        out[s * width] = Keys::query_step(query.bytes + Keys::kChannelsPerStep * s);
      starts_[t] = -Keys::kOffset * sum;
      // Not 0, which would make NaN of the keys that are not seen.
      factors_[t] = query.scale == 0 ? a.scale : query.scale * a.scale;
    }
  }

  float factor(int t) const { return factors_[t]; }

  void find(int first, int blocks, ScoreBlock* scores) const {
    const std::size_t bytes = key_block_bytes<Keys>(a_.head_dim);
    const std::uint8_t* keys = a_.keys + first / 16 * bytes;
    for (int b = 0; b < blocks; b += 2, keys += 2 * bytes) {
      // A last block alone is found twice.
      const std::size_t next = b + 1 < blocks ? 1 : 0;
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        const int width = tile_width(a_, tile);
        const auto* x = reinterpret_cast<const std::uint8_t*>(queries_ + tile * steps_);
        in_parts<V::kTokensOfPair>(width, [&]<int T>(int from) {
          find_pair<T>(keys, next * bytes, x + 4 * from, 4 * width, tile + from,
                       scores[b][tile + from], scores[b + next][tile + from]);
        });
      }
    }
  }

 private:
  template <int T>
  void find_pair(const std::uint8_t* keys, std::size_t next_block, const std::uint8_t* x,
                 std::size_t x_stride, int query, float* out, float* next_out) const {
    const auto* scales = reinterpret_cast<const float*>(keys + 64 * steps_);
    const auto* next_scales = reinterpret_cast<const float*>(keys + 64 * steps_ + next_block);
    multiply_pair<typename Keys::Dot, 8, T>(
        steps_, keys, next_block, x, x_stride,
        [&](int t, int) { return V::repeat_integer(starts_[query + t]); },
        [&](int t, auto dots, auto next_dots) {
          V::store(out + 16 * t, V::multiply(V::to_floats(dots), V::load(scales)));
          V::store(next_out + 16 * t, V::multiply(V::to_floats(next_dots), V::load(next_scales)));
        });
  }

  const AttendBlockArguments& a_;
  int steps_;
  int starts_[kQueriesTogether];
  float factors_[kQueriesTogether];
  alignas(64) std::uint32_t queries_[kQueriesTogether * kMaxHeadDim / Keys::kChannelsPerStep];
};

/// The largest share and value as whole numbers of 16 bits: kKeysTogether products stay within 32
/// bits, also where rounding makes a share of large scores a hundredth more than the largest.
static constexpr float kLargestWordShare = 8000, kLargestWordValue = 2047;

/// What makes whole numbers of sixteen channels, and what those count: a channel's ByteScale, each
/// side times its own factor.
template <class V>
struct ChannelScales {
  alignas(64) float inverses[16], scales[16];

  ChannelScales(typename V::Bytes most, float inverse_factor, float scale_factor) {
    alignas(64) std::uint32_t magnitudes[16];
    V::store_bytes(magnitudes, most);
    for (int i = 0; i < 16; ++i) {
      const ByteScale factor = byte_scale(magnitudes[i]);
      inverses[i] = factor.inverse * inverse_factor;
      scales[i] = factor.scale * scale_factor;
    }
  }
};

/// Calls pack(first, channel, out) for each block of kKeysTogether values and 16 channels.
template <class Pack>
void pack_value_blocks(const PackHeadArguments& a, std::size_t block_bytes, Pack pack) {
  std::uint8_t* out = a.packed;
  for (int first = 0; first < a.tokens; first += kKeysTogether)
    for (int channel = 0; channel < a.head_dim; channel += 16, out += block_bytes)
      pack(first, channel, out);
}

/// Sixteen channels of up to kKeysTogether values.
template <class V>
void pack_word_block(const PackHeadArguments& a, int first, int channel, std::uint8_t* out) {
  const int left = a.tokens - first, count = left < kKeysTogether ? left : kKeysTogether;
  const auto value = [&](int t) {
    const std::size_t at = (first + t) * a.input_stride + channel;
    return load_some<V>(number_at(a.input, a.input_type, at), a.input_type, a.head_dim - channel);
  };
  auto most = V::zero_bytes();
  for (int t = 0; t < count; ++t) most = V::max_magnitude(most, value(t));
  const ChannelScales<V> channels(most, kLargestWordValue / 127, 127 / kLargestWordValue);
  const auto inverse = V::load(channels.inverses);
  const auto whole = [&](int t) {
    return t < count ? V::to_integers(V::multiply(value(t), inverse)) : V::zero_bytes();
  };
  for (int t = 0; t < kKeysTogether; t += 2, out += 64)
    V::store_bytes(out, V::join_halves(whole(t), whole(t + 1)));
  __builtin_memcpy(out, channels.scales, 64);
}

template <class V>
void pack_word_values(const PackHeadArguments& a) {
  pack_value_blocks(a, kValueBlockBytes, [&](int first, int channel, std::uint8_t* out) {
    pack_word_block<V>(a, first, channel, out);
  });
}

/// What queries make of values: shares are of the largest score among kKeysTogether keys, so that
/// a key far above all others costs its neighbours their share, but no others.
template <class Vector>
class WordMix {
 public:
  using V = Vector;
  using Floats = typename V::Floats;
  static constexpr bool kOwnBase = true, kRefines = false;
  static constexpr float kLargestShare = kLargestWordShare;
  static constexpr int kBlocksPerPut = 1;

  WordMix(const AttendBlockArguments& a, ScoreBlock* mixed)
      : a_(a), blocks_(rounded_up(a.head_dim, 16) / 16), mixed_(mixed) {}

  static Floats exp2(Floats x) { return V::exp2_of_negative(x); }
  template <class Share>
  Floats put(int t, int block, Share share) {
    const Floats shares = share(0);
    V::store_words(shares_[t] + 8 * block, V::to_integers(shares));
    return shares;
  }

  void add(int first, int keys, const StepSums& step) {
    const std::uint8_t* values = a_.values + first / kKeysTogether * blocks_ * kValueBlockBytes;
    for (int b = 0; b < blocks_; b += 2, values += 2 * kValueBlockBytes) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        in_parts<V::kTokensOfPair>(tile_width(a_, tile), [&]<int T>(int from) {
          if (b + 1 < blocks_)
            mix_pair<T, true>(values, keys / 2, b, tile + from, step);
          else
            mix_pair<T, false>(values, keys / 2, b, tile + from, step);
        });
      }
    }
  }

 private:
  static constexpr int kSteps = kKeysTogether / 2;

  /// Channels of block b and of the next one, or the first alone.
  template <int T, bool kBoth>
  void mix_pair(const std::uint8_t* values, int steps, int b, int query, const StepSums& step) {
    constexpr std::size_t kNext = kBoth ? kValueBlockBytes : 0;
    const auto* scales = reinterpret_cast<const float*>(values + 64 * kSteps);
    const auto* next_scales = reinterpret_cast<const float*>(values + 64 * kSteps + kNext);
    const auto add = [](float* to, auto sums, auto factors) {
      V::store(to, V::multiply_add(V::to_floats(sums), factors, V::load(to)));
    };
    multiply_pair<WordDot<V>, 0, T, 4 * kSteps>(
        steps, values, kNext, reinterpret_cast<const std::uint8_t*>(shares_[query]), 4,
        [](int, int) { return V::zero_bytes(); },
        [&](int t, auto sums, auto next_sums) {
          const auto weight = V::broadcast(step.weights[query + t]);
          add(mixed_[b][query + t], sums, V::multiply(V::load(scales), weight));
          if constexpr (kBoth)
            add(mixed_[b + 1][query + t], next_sums, V::multiply(V::load(next_scales), weight));
        });
  }

  const AttendBlockArguments& a_;
  int blocks_;
  ScoreBlock* mixed_;
  alignas(64) std::uint32_t shares_[kQueriesTogether][kSteps];
};

/// Of kKeysTogether packed values of 16 channels: four keys in a step, first what rounding to bytes
/// leaves, in 256ths, then the bytes; then the channels' scales and means.
struct ByteValueBlock {
  static constexpr int kSteps = kKeysTogether / 4;
  static constexpr std::size_t kBytesAt = 64 * kSteps, kScalesAt = 2 * kBytesAt,
                               kMeansAt = kScalesAt + 64, kSize = kMeansAt + 64;
};

/// Sixteen channels of up to kKeysTogether values, rounded without their mean: the exact sum of the
/// shares multiplies that, so that rounded shares cost only of what values differ in.
template <class V>
void pack_byte_block(const PackHeadArguments& a, int first, int channel, std::uint8_t* out) {
  const int left = a.tokens - first, count = left < kKeysTogether ? left : kKeysTogether;
  alignas(64) float values[kKeysTogether][16];
  alignas(64) float means[16];
  auto sum = V::zero();
  for (int t = 0; t < count; ++t) {
    const std::size_t at = (first + t) * a.input_stride + channel;
    const auto value =
        load_some<V>(number_at(a.input, a.input_type, at), a.input_type, a.head_dim - channel);
    V::store(values[t], value);
    sum = V::add(sum, value);
  }
  store_mean<V>(sum, count, means);
  const auto mean = V::load(means);
  auto most = V::zero_bytes();
  for (int t = 0; t < count; ++t) {
    const auto rest = V::subtract(V::load(values[t]), mean);
    V::store(values[t], rest);
    most = V::max_magnitude(most, rest);
  }
  const ChannelScales<V> channels(most, 256, 1);
  const auto inverse = V::load(channels.inverses);
  const auto whole = [&](int t) {
    return t < count ? V::to_integers(V::multiply(V::load(values[t]), inverse)) : V::zero_bytes();
  };
  for (int t = 0; t < kKeysTogether; t += 4, out += 64) {
    const auto even = V::join_halves(whole(t), whole(t + 2)),
               odd = V::join_halves(whole(t + 1), whole(t + 3));
    V::store_bytes(out, V::join_low_bytes(even, odd));
    V::store_bytes(out + ByteValueBlock::kBytesAt, V::join_high_bytes(even, odd));
  }
  __builtin_memcpy(out + ByteValueBlock::kBytesAt, channels.scales, 64);
  __builtin_memcpy(out + ByteValueBlock::kBytesAt + 64, means, 64);
}

template <class V>
void pack_byte_values(const PackHeadArguments& a) {
  pack_value_blocks(a, ByteValueBlock::kSize, [&](int first, int channel, std::uint8_t* out) {
    pack_byte_block<V>(a, first, channel, out);
  });
}

/// Products of shares, as bytes without a sign, with values: four keys in a step.
template <class V>
struct ShareDot {
  using Vector = V;
  using Sum = typename V::Bytes;
  template <int kBits>
  static Sum dot_repeated(Sum sum, typename V::Bytes values, typename V::Bytes four_shares) {
    return V::template dot_repeated<kBits>(sum, four_shares, values);
  }
};

/// What queries make of values in bytes, with shares of the largest score among kKeysTogether keys.
/// Where a single key of those has much of a query's whole, bytes would take their share from its
/// neighbours: such a query gets what rounding leaves, of shares and of values, as well.
template <class Vector>
class ByteMix {
 public:
  using V = Vector;
  using Floats = typename V::Floats;
  static constexpr bool kOwnBase = true, kRefines = true;
  static constexpr float kLargestShare = 255;
  static constexpr int kBlocksPerPut = 4;

  ByteMix(const AttendBlockArguments& a, ScoreBlock* mixed)
      : a_(a), blocks_(rounded_up(a.head_dim, 16) / 16), mixed_(mixed) {}

  static Floats exp2(Floats x) { return V::exp2_of_negative(x); }
  template <class Share>
  Floats put(int t, int block, Share share) {
    const Floats shares[] = {share(0), share(1), share(2), share(3)};
    store_bytes(shares_[t] + 4 * block, [&](int i) { return V::to_integers(shares[i]); });
    return V::add(V::add(shares[0], shares[1]), V::add(shares[2], shares[3]));
  }

  /// Whether the step's largest share of a query is a sixteenth of all so far.
  static bool wants_more(float weight, float sum) { return weight * (16 * kLargestShare) > sum; }

  /// Takes all shares of a query again, finer.
  template <class Share>
  void refine(int t, int keys, Share share) {
    std::uint32_t* out = fine_shares_[fine_count_];
    fine_queries_[fine_count_++] = t;
    for (int b = 0; b < kKeysTogether / 16; b += kBlocksPerPut) {
      Floats shares[kBlocksPerPut];
      typename V::Bytes whole[kBlocksPerPut];
      for (int i = 0; i < kBlocksPerPut; ++i) {
        shares[i] = 16 * b < keys ? share(b + i) : V::zero();
        whole[i] = V::to_integers(V::subtract(shares[i], V::broadcast(0.5f)));
      }
      store_bytes(out + 4 * b, [&](int i) { return whole[i]; });
      store_bytes(out + kSteps + 4 * b, [&](int i) {
        const Floats rest = V::subtract(shares[i], V::to_floats(whole[i]));
        return V::to_integers(V::multiply(rest, V::broadcast(256.0f)));
      });
    }
    __builtin_memcpy(shares_[t], out, sizeof(shares_[t]));
  }

  void add(int first, int keys, const StepSums& step) {
    const std::uint8_t* values = a_.values + first / kKeysTogether * blocks_ * Block::kSize;
    for (int b = 0; b < blocks_; b += 2, values += 2 * Block::kSize) {
      if (b + 1 < blocks_)
        add_blocks<true>(values, keys / 4, b, step);
      else
        add_blocks<false>(values, keys / 4, b, step);
    }
    fine_count_ = 0;
  }

 private:
  using Block = ByteValueBlock;
  static constexpr int kSteps = Block::kSteps;

  template <class Whole>
  static void store_bytes(std::uint32_t* out, Whole whole) {
    V::store_bytes(out, V::join_integers(whole(0), whole(1), whole(2), whole(3)));
  }

  /// Channels of block b and of the next one, or the first alone.
  template <bool kBoth>
  void add_blocks(const std::uint8_t* values, int steps, int b, const StepSums& step) {
    const auto numbers = [&](int next, std::size_t at) {
      return V::load(reinterpret_cast<const float*>(values + next * Block::kSize + at));
    };
    in_parts<V::kTokensOfPair>(a_.query_count, [&]<int T>(int from) {
      multiply<T, kBoth, kSteps>(
          steps, values + Block::kBytesAt,
          shares_[from], [&](int t, int next, auto sums) __attribute__((always_inline)) {
            const auto weight = V::broadcast(step.weights[from + t]);
            const auto scale = V::multiply(numbers(next, Block::kScalesAt), weight);
            float* out = mixed_[b + next][from + t];
            const auto known = V::multiply_add(numbers(next, Block::kMeansAt),
                                               V::broadcast(step.sums[from + t]), V::load(out));
            V::store(out, V::multiply_add(V::to_floats(sums), scale, known));
          });
    });
    // The rests of values belong to the shares, the values to the rests of shares.
    in_parts<V::kTokensOfPair>(fine_count_, [&]<int T>(int from) {
      multiply<T, kBoth, 2 * kSteps>(
          2 * kSteps, values, fine_shares_[from], [&](int t, int next, auto sums) {
            const int query = fine_queries_[from + t];
            const auto weight = V::broadcast(step.weights[query] * (1.0f / 256));
            const auto scale = V::multiply(numbers(next, Block::kScalesAt), weight);
            float* out = mixed_[b + next][query];
            V::store(out, V::multiply_add(V::to_floats(sums), scale, V::load(out)));
          });
    });
  }

  template <int T, bool kBoth, int kStride, class Add>
  static void multiply(int steps, const std::uint8_t* values, const std::uint32_t* shares,
                       Add add) {
    multiply_pair<ShareDot<V>, 8, T, 4 * kStride>(
        steps, values, kBoth ? Block::kSize : 0, reinterpret_cast<const std::uint8_t*>(shares), 4,
        [](int, int) { return V::zero_bytes(); },
        [&](int t, auto sums, auto next_sums) __attribute__((always_inline)) {
          add(t, 0, sums);
          if constexpr (kBoth) add(t, 1, next_sums);
        });
  }

  const AttendBlockArguments& a_;
  int blocks_;
  ScoreBlock* mixed_;
  int fine_count_ = 0;
  int fine_queries_[kQueriesTogether];
  alignas(64) std::uint32_t shares_[kQueriesTogether][kSteps];
  alignas(64) std::uint32_t fine_shares_[kQueriesTogether][2 * kSteps];
};

}  // namespace prismvid::nn::kernels
