// Attention in whole numbers: scores of bytes, shares and values of 16 bits, with a scale for each
// query, for each key and for each channel of kKeysTogether values. Where no instruction sums up
// products of bytes exactly, bytes are multiplied as 16-bit numbers.
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

/// The mean of the first keys, which all scores of a query may do without: what is left rounds
/// finer (arXiv:2410.02367). Of the first ones alone, so that later keys change no key before.
template <class V>
void mean_of_first_keys(const PackHeadArguments& a, float* mean) {
  const int count = a.tokens < kKeysTogether ? a.tokens : kKeysTogether;
  const auto share = V::broadcast(1.0f / static_cast<float>(count));
  for (int d = 0; d < a.head_dim; d += 16) {
    auto sum = V::zero();
    for (int t = 0; t < count; ++t)
      sum = V::add(sum, load_some<V>(number_at(a.input, a.input_type, t * a.input_stride + d),
                                     a.input_type, a.head_dim - d));
    V::store(mean + d, V::multiply(sum, share));
    // What is not finite stays with its own key.
    for (int i = d; i < d + 16; ++i)
      if (!(mean[i] - mean[i] == 0)) mean[i] = 0;
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
        [&](int t) { return V::repeat_integer(starts_[query + t]); },
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

/// The largest share and value as whole numbers: kKeysTogether products stay within 32 bits, also
/// where rounding makes a share of large scores a hundredth more than 1.
static constexpr float kLargestShare = 8000, kLargestValue = 2047;

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
  alignas(64) std::uint32_t magnitudes[16];
  alignas(64) float inverses[16], scales[16];
  V::store_bytes(magnitudes, most);
  for (int i = 0; i < 16; ++i) {
    const ByteScale factor = byte_scale(magnitudes[i]);
    inverses[i] = factor.inverse * (kLargestValue / 127);
    scales[i] = factor.scale * (127 / kLargestValue / kLargestShare);
  }
  const auto inverse = V::load(inverses);
  const auto whole = [&](int t) {
    return t < count ? V::to_integers(V::multiply(value(t), inverse)) : V::zero_bytes();
  };
  for (int t = 0; t < kKeysTogether; t += 2, out += 64)
    V::store_bytes(out, V::join_halves(whole(t), whole(t + 1)));
  __builtin_memcpy(out, scales, 64);
}

template <class V>
void pack_word_values(const PackHeadArguments& a) {
  std::uint8_t* out = a.packed;
  for (int first = 0; first < a.tokens; first += kKeysTogether)
    for (int channel = 0; channel < a.head_dim; channel += 16, out += kValueBlockBytes)
      pack_word_block<V>(a, first, channel, out);
}

/// What queries make of values: shares are of the largest score among kKeysTogether keys, so that
/// a key far above all others costs its neighbours their share, but no others.
template <class Vector>
class WordMix {
 public:
  using V = Vector;
  using Floats = typename V::Floats;
  static constexpr bool kOwnBase = true;

  WordMix(const AttendBlockArguments& a, ScoreBlock* mixed)
      : a_(a), blocks_(rounded_up(a.head_dim, 16) / 16), mixed_(mixed) {}

  static Floats exp2(Floats x) { return V::exp2_of_negative(x); }
  Floats put(int t, int k, Floats share) {
    V::store_words(shares_[t] + k / 2,
                   V::to_integers(V::multiply(share, V::broadcast(kLargestShare))));
    return share;
  }
  void weigh(int t, float weight) { weights_[t] = weight; }

  void add(int first, int keys) {
    const std::uint8_t* values = a_.values + first / kKeysTogether * blocks_ * kValueBlockBytes;
    for (int b = 0; b < blocks_; b += 2, values += 2 * kValueBlockBytes) {
      for (int tile = 0; tile < a_.query_count; tile += kMaxTile) {
        in_parts<V::kTokensOfPair>(tile_width(a_, tile), [&]<int T>(int from) {
          if (b + 1 < blocks_)
            mix_pair<T, true>(values, keys / 2, b, tile + from);
          else
            mix_pair<T, false>(values, keys / 2, b, tile + from);
        });
      }
    }
  }

 private:
  static constexpr int kSteps = kKeysTogether / 2;

  /// Channels of block b and of the next one, or the first alone.
  template <int T, bool kBoth>
  void mix_pair(const std::uint8_t* values, int steps, int b, int query) {
    constexpr std::size_t kNext = kBoth ? kValueBlockBytes : 0;
    const auto* scales = reinterpret_cast<const float*>(values + 64 * kSteps);
    const auto* next_scales = reinterpret_cast<const float*>(values + 64 * kSteps + kNext);
    const auto add = [](float* to, auto sums, auto factors) {
      V::store(to, V::multiply_add(V::to_floats(sums), factors, V::load(to)));
    };
    multiply_pair<WordDot<V>, 0, T, 4 * kSteps>(
        steps, values, kNext, reinterpret_cast<const std::uint8_t*>(shares_[query]), 4,
        [](int) { return V::zero_bytes(); },
        [&](int t, auto sums, auto next_sums) {
          const auto weight = V::broadcast(weights_[query + t]);
          add(mixed_[b][query + t], sums, V::multiply(V::load(scales), weight));
          if constexpr (kBoth)
            add(mixed_[b + 1][query + t], next_sums, V::multiply(V::load(next_scales), weight));
        });
  }

  const AttendBlockArguments& a_;
  int blocks_;
  ScoreBlock* mixed_;
  float weights_[kQueriesTogether];
  alignas(64) std::uint32_t shares_[kQueriesTogether][kSteps];
};

}  // namespace prismvid::nn::kernels
