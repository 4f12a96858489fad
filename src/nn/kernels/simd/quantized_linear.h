// The quantised product, written once for all instruction sets; see PackedMatrix for the layout.
// Inside a source with its own compiler flags: uses no inline function of another header, whose
// copy the linker could keep for processors that lack these instructions.
#pragma once

#include "nn/kernels/simd/block_pairs.h"
#include "nn/kernels/simd/byte_sum_dot.h"
#include "nn/kernels/simd/partial_sums.h"

namespace prismvid::nn::kernels {

/// sums[b] += weights of block b . x for `steps` vectors of weights, B blocks and T tokens;
/// `weight(step, b)` loads one. Tokens' activations lie kTokenStride bytes apart.
template <class Dot, int kBits, int T, int B = 1, int kTokenStride = 4, class Weight>
void add_dots(int steps, Weight weight, const std::uint8_t* x, std::size_t x_stride,
              typename Dot::Sum* sums) {
  if constexpr (B > 1) {
    for (int s = 0; s < steps; ++s, x += x_stride) {
      typename Dot::Vector::Bytes w[B];
      for (int b = 0; b < B; ++b) w[b] = weight(s, b);
      for (int t = 0; t < T; ++t) {
        const auto four = Dot::Vector::repeat_four(x + kTokenStride * t);
        for (int b = 0; b < B; ++b)
          sums[b * T + t] = Dot::template dot_repeated<kBits>(sums[b * T + t], w[b], four);
      }
    }
  } else {
    for (int s = 0; s < steps; ++s, x += x_stride) {
      const auto w = weight(s, 0);
      for (int t = 0; t < T; ++t)
        sums[t] = Dot::template dot<kBits>(sums[t], w, x + kTokenStride * t);
    }
  }
}

/// sums += scale * (weights . x) + bias * (sum of x), for one group and T tokens.
template <class Dot, int T, class Floats>
void add_group(const typename Dot::Sum* dots, Floats scale, Floats bias, const float* x_scales,
               const float* x_sums, Floats* sums) {
  using V = typename Dot::Vector;
  for (int t = 0; t < T; ++t) {
    const auto with_bias = V::multiply_add(bias, V::broadcast(x_sums[t]), sums[t]);
    const auto both = V::multiply(scale, V::broadcast(x_scales[t]));
    sums[t] = V::multiply_add(Dot::to_floats(dots[t]), both, with_bias);
  }
}

/// A group's sum for one token and weights of 3 or 4 bits, which stay where they lie in their
/// bytes, 8, 16 or 32 times as large: each such place has a sum of its own.
template <class Dot, int kBits>
class PlacedSums {
 public:
  void add(const std::uint8_t* p, const std::uint8_t* x) {
    if constexpr (kBits == 4) {
      for (int i = 0; i < 4; ++i) {
        const auto v = V::load_once(p + 64 * i);
        add(low_, V::mask(v, 15), x + 8 * i);
        add(high_, V::mask(v, 0xf0), x + 8 * i + 4);
      }
    } else {
      const auto a = V::load_once(p), b = V::load_once(p + 64), c = V::load_once(p + 128);
      add(low_, V::mask(a, 7), x);
      add(low_, V::mask(b, 7), x + 4);
      add(low_, V::mask(c, 7), x + 8);
      add(middle_, V::mask(a, 7 << 3), x + 12);
      add(middle_, V::mask(b, 7 << 3), x + 16);
      add(middle_, V::mask(c, 7 << 3), x + 20);
      const auto d = V::template shift_right<2>(c), e = V::template shift_right<1>(c);
      add(high_, V::merge(V::mask(a, 6 << 5), d, 1 << 5), x + 24);
      add(high_, V::merge(V::mask(b, 6 << 5), e, 1 << 5), x + 28);
    }
  }

  typename Dot::Sum total() const {
    if constexpr (kBits == 4) return V::template add_lowered<4>(low_, high_);
    return V::template add_lowered<5>(V::template add_lowered<3>(low_, middle_), high_);
  }

 private:
  using V = typename Dot::Vector;
  static void add(typename Dot::Sum& sum, typename V::Bytes weights, const std::uint8_t* x) {
    sum = Dot::template dot<kBits>(sum, weights, x);
  }
  typename Dot::Sum low_ = Dot::zero(), middle_ = Dot::zero(), high_ = Dot::zero();
};

/// Asks for what a stream of weights needs soon, where it asks for each of its lines.
template <int kBits>
[[gnu::always_inline]] inline void fetch_lines(Fetching how, const std::uint8_t* p, int lines) {
  constexpr int kSecond = 8192, kNear = kBits == 8 ? 1024 : 1536, kFar = 6144;
  for (int i = 0; how == Fetching::kFarSecond && i < lines; ++i)
    __builtin_prefetch(p + kSecond + 64 * i, 0, 2);
  for (int i = 0; how == Fetching::kNearFirst && i < lines; ++i)
    __builtin_prefetch(p + kNear + 64 * i, 0, 0);
  for (int i = 0; how == Fetching::kFarFirst && i < lines; ++i)
    __builtin_prefetch(p + kFar + 64 * i, 0, 0);
}

/// A group's products with one token.
template <class Dot, int kBits>
[[gnu::always_inline]] inline typename Dot::Sum placed_dots(const std::uint8_t* p,
                                                            const std::uint8_t* x, int group_size,
                                                            Fetching fetching) {
  PlacedSums<Dot, kBits> sums;
  for (int k = 0; k < group_size; k += 32) {
    fetch_lines<kBits>(fetching, p + 2 * k * kBits, kBits);
    sums.add(p + 2 * k * kBits, x + k);
  }
  return sums.total();
}

/// Some groups of a block times the T rows of a tile, straight from the packed form, added to out
/// (tokens, 16): sums stay in registers.
template <class Dot, int kBits, int T>
void stream_groups(const PackedBlocks& m, const std::uint8_t* p, int groups, TileView x,
                   float* out) {
  using V = typename Dot::Vector;
  constexpr int kRows = kRowsOfToken<Dot>;
  typename V::Floats sums[T];
  for (int t = 0; t < T; ++t)
    sums[t] = t % kRows == 0 ? V::load(out + 16 * (t / kRows)) : V::zero();
  for (int g = 0; g < groups; ++g) {
    if (m.fetching == Fetching::kOneLine)
      __builtin_prefetch(p + (kBits == 8 ? 6144 : 10240), 0, 2);
    else
      fetch_lines<kBits>(m.fetching, p, static_cast<int>(m.scale_bytes + 63) / 64);
    const auto scale = V::load_numbers(p, m.scale_type);
    const auto bias = load_biases<Dot, kBits>(m, p, scale);
    p += m.scale_bytes;
    typename Dot::Sum dots[T];
    for (int t = 0; t < T; ++t) dots[t] = Dot::zero();
    if constexpr (V::kKeepsPlaces && T == 1 && (kBits == 3 || kBits == 4)) {
      dots[0] = m.group_size == 64 ? placed_dots<Dot, kBits>(p, x.values, 64, m.fetching)
                                   : placed_dots<Dot, kBits>(p, x.values, m.group_size, m.fetching);
      p += 2 * kBits * m.group_size;
      x.values += m.group_size;
    } else {
      for (int k = 0; k < m.group_size; k += 32, p += 64 * kBits, x.values += 32 * T) {
        fetch_lines<kBits>(m.fetching, p, kBits);
        const Unit<V, kBits> unit(p);
        const auto weight = [&](int i, int = 0) {
          return V::template offset<kBits>(unit.vectors[i]);
        };
        const std::uint8_t* values = x.values;
        if constexpr (kUnrolls<Dot, kBits>)
          add_whole_dots<Dot, kBits, T, 8>(weight, values, 4 * T, dots);
        else
          add_dots<Dot, kBits, T>(8, weight, values, 4 * T, dots);
      }
    }
    add_group<Dot, T>(dots, scale, bias, x.scales + g * T, x.sums + g * T, sums);
  }
  for (int t = 0; t < T; t += kRows)
    V::store(out + 16 * (t / kRows), kRows == 2 ? V::add(sums[t], sums[t + kRows - 1]) : sums[t]);
}

/// out[b] (tokens, 16) += panel b times T rows. The registers hold a group's sums; those of all
/// groups stay in memory and are touched once a group.
template <class Dot, int kBits, int T, int B>
void multiply_panels(const Panel<Dot>* panels, int groups, int steps, TileView x,
                     float* const* out) {
  using V = typename Dot::Vector;
  std::size_t at = 0;
  for (int g = 0; g < groups; ++g) {
    typename Dot::Sum dots[B * T];
    // Two short loops: g++ unrolls no loop of more than 16 rounds, and keeps its array in memory.
    for (int b = 0; b < B; ++b)
      for (int t = 0; t < T; ++t) dots[b * T + t] = Dot::zero();
    const auto weight = [&](int s, int b) { return V::load_bytes(panels[b].values + at + 64 * s); };
    if constexpr (MatrixDot<Dot>)
      Dot::template add_pairs<T>(steps, panels[0].values + at, x.values, 4 * x.width, dots);
    else
      add_dots<Dot, kBits, T, B>(steps, weight, x.values, 4 * x.width, dots);
    at += 64 * steps;
    x.values += 4 * x.width * steps;
    for (int b = 0; b < B; ++b) {
      const auto scale = V::load(panels[b].scales + 16 * g),
                 bias = V::load(panels[b].biases + 16 * g);
      for (int t = 0; t < T; ++t) {
        float* sum = out[b] + 16 * (t / kRowsOfToken<Dot>);
        const int row = g * x.width + t;
        const auto with_bias = V::multiply_add(bias, V::broadcast(x.sums[row]), V::load(sum));
        const auto both = V::multiply(scale, V::broadcast(x.scales[row]));
        V::store(sum, V::multiply_add(Dot::to_floats(dots[b * T + t]), both, with_bias));
      }
    }
  }
}

template <class Dot>
TileView tile_view(const MultiplyArguments& a, int first_token, int tokens, int first_group) {
  const PackedBlocks& m = a.matrix;
  const std::uint8_t* tile =
      a.prepared +
      first_token / kTileTokens<Dot> * prepared_bytes(kTileTokens<Dot>, m.columns, m.group_size);
  const int rows = kRowsOfToken<Dot> * tokens;
  const auto* scales = reinterpret_cast<const float*>(tile + value_bytes<Dot>(rows, m.columns));
  const float* sums = scales + std::size_t(m.columns / m.group_size) * rows;
  const auto* starts =
      reinterpret_cast<const std::int32_t*>(sums + std::size_t(m.columns / m.group_size) * rows);
  return {tile + value_bytes<Dot>(rows, first_group * m.group_size), scales + first_group * rows,
          sums + first_group * rows, starts + first_group * rows, rows};
}

/// Sets one block's sums (tokens, 16) to its bias and what is added.
template <class V, class Arguments>
void start_sums(const Arguments& a, int block, float* sums) {
  const auto first = a.bias ? V::load(a.bias + 16 * block) : V::zero();
  const int left = a.matrix.rows - 16 * block, count = left < 16 ? left : 16;
  for (int t = 0; t < a.tokens; ++t, sums += 16) {
    V::store(sums, first);
    if (a.addend.data == nullptr) continue;
    const std::size_t at = t * a.addend.stride + 16 * block;
    if (count == 16) {
      const auto* p = static_cast<const char*>(a.addend.data) + at * byte_size(a.addend.type);
      V::store(sums, V::add(first, V::load_numbers(p, a.addend.type)));
    } else {
      for (int r = 0; r < count; ++r) sums[r] += load_number(a.addend.data, a.addend.type, at + r);
    }
  }
}

/// Writes the results of some neighbouring blocks, token after token, in the output's number
/// format.
template <class V, class Arguments>
void store_blocks(const Arguments& a, int rows, int first_block, int blocks,
                  const float (*sums)[kMaxTokens * 16]) {
  // The next rows lie far apart, where no processor looks for them on its own.
  constexpr int kRowsAhead = 12;
  const std::size_t row_bytes = a.output_stride * byte_size(a.output_type);
  const char* ahead = static_cast<const char*>(a.output) + kRowsAhead * row_bytes +
                      16 * first_block * byte_size(a.output_type);
  for (int t = 0; t < a.tokens; ++t, ahead += row_bytes) {
    for (int i = 0; i < blocks; i += 2)
      if (t + kRowsAhead < a.tokens) __builtin_prefetch(ahead + 32 * i, 1, 2);
    for (int i = 0; i < blocks; ++i) {
      const int left = rows - 16 * (first_block + i), count = left < 16 ? left : 16;
      const std::size_t at = t * a.output_stride + 16 * (first_block + i);
      const float* from = sums[i] + 16 * t;
      if (count == 16) {
        void* to = static_cast<char*>(a.output) + at * byte_size(a.output_type);
        V::store_numbers(to, a.output_type, V::load(from));
      } else {
        for (int r = 0; r < count; ++r) store_number(a.output, a.output_type, at + r, from[r]);
      }
    }
  }
}

/// Runs F<T> for T = tokens.
template <int T, class F>
void with_tokens(int tokens, F&& f) {
  if constexpr (T > 1)
    if (tokens < T) return with_tokens<T - 1>(tokens, f);
  f.template operator()<T>();
}

/// Runs F<T>(first) for parts of at most kMost tokens, as even as they can be.
template <int kMost, class F>
void in_parts(int tokens, F&& f) {
  const int parts = (tokens + kMost - 1) / kMost;
  for (int part = 0, first = 0; part < parts; ++part) {
    const int count = (tokens - first + parts - part - 1) / (parts - part);
    with_tokens<kMost>(count, [&]<int T>() { f.template operator()<T>(first); });
    first += count;
  }
}

/// Runs f<B>(block) for B neighbouring blocks at a time and f<1>(block) for those left.
template <int B, class F>
void in_blocks(int blocks, F&& f) {
  int i = 0;
  for (; i + B <= blocks; i += B) f.template operator()<B>(i);
  for (; i < blocks; ++i) f.template operator()<1>(i);
}

/// Blocks whose results are kept while a stretch of the activations stays in the second cache.
template <class Dot>
constexpr int kBlocksTogether = 4;
template <TiledDot Dot>
constexpr int kBlocksTogether<Dot> = 16;  // what is faster waits longer for the third

/// Fetches one of `parts` parts of the `bytes` from `data` on into the second cache.
static void fetch_part(const std::uint8_t* data, std::size_t bytes, int part, int parts) {
  const std::size_t last = bytes * (part + 1) / parts;
  for (std::size_t at = bytes * part / parts / 64 * 64; at < last; at += 64)
    __builtin_prefetch(data + at, 0, 2);
}

/// Adds what `groups` groups of B blocks give for the tokens of a tile.
template <class Dot, int kBits, int B>
void multiply_tile(const MultiplyArguments& a, const Panel<Dot>* panels, int groups, TileView x,
                   int tokens, float* const* sums) {
  const int steps = a.matrix.group_size / Dot::kColumnsPerStep;
  constexpr int kRows = kRowsOfToken<Dot>;
  in_parts<Dot::template kTokensTogether<kBits> / kRows>(tokens, [&]<int kTokens>(int from) {
    constexpr int T = kRows * kTokens;
    float* out[B];
    for (int b = 0; b < B; ++b) out[b] = sums[b] + 16 * from;
    if constexpr (MultipliesSums<Dot>)
      multiply_sum_panels<Dot, kBits, T, B>(panels, groups, steps, x.from(kRows * from), out);
    else if constexpr (B == 2 && PairsBlocks<Dot>)
      multiply_panel_pair<Dot, kBits, T>(panels, groups, steps, x.from(kRows * from), out);
    else if constexpr (kUnrolls<Dot, kBits>)
      multiply_unrolled_panel<Dot, kBits, T>(*panels, groups, steps, x.from(kRows * from), *out);
    else
      multiply_panels<Dot, kBits, T, B>(panels, groups, steps, x.from(kRows * from), out);
  });
}
template <class Dot, int kBits, int B>
requires TiledDot<Dot>
void multiply_tile(const MultiplyArguments& a, const Panel<Dot>* panels, int groups, TileView x,
                   int tokens, float* const* sums) {
  Dot::template add<B>(panels[0].values, sizeof(panels[0]), groups * a.matrix.group_size,
                       a.matrix.columns, x.values, tokens, sums);
}

/// Adds what `groups` groups from `first_group` of B blocks give for all tokens.
template <class Dot, int kBits, int B>
void add_panels(const MultiplyArguments& a, int block, int first_group, int groups,
                Panel<Dot>* panels, float (*sums)[kMaxTokens * 16]) {
  const PackedBlocks& m = a.matrix;
  const std::size_t group_bytes = m.block_bytes / (m.columns / m.group_size);
  for (int b = 0; b < B; ++b)
    panels[b].template unpack<kBits>(
        m, m.data + (block + b) * m.block_bytes + first_group * group_bytes, groups);
  // What these blocks, or behind their last group the next ones, are unpacked from next.
  const bool is_last = (first_group + groups) * m.group_size == m.columns;
  const std::size_t ahead = is_last
                                ? kBlocksTogether<Dot> * m.block_bytes - first_group * group_bytes
                                : groups * group_bytes;
  const bool has_next = !is_last || block + kBlocksTogether<Dot> + B <= a.last_block;
  constexpr int kTile = kTileTokens<Dot>;
  for (int t = 0; t < a.tokens; t += kTile) {
    const int tokens = a.tokens - t < kTile ? a.tokens - t : kTile;
    const TileView x = tile_view<Dot>(a, t, tokens, first_group);
    for (int b = 0; has_next && b < B; ++b)
      fetch_part(m.data + (block + b) * m.block_bytes + first_group * group_bytes + ahead,
                 groups * group_bytes, t / kTile, (a.tokens + kTile - 1) / kTile);
    float* out[B];
    for (int b = 0; b < B; ++b) out[b] = sums[b] + 16 * t;
    multiply_tile<Dot, kBits, B>(a, panels, groups, x, tokens, out);
  }
}

template <class Dot, int kBits>
void multiply_by_panels(const MultiplyArguments& a, int first_block, int blocks) {
  constexpr int B = Dot::template kBlocksPerTile<kBits>;
  const int groups = a.matrix.columns / a.matrix.group_size;
  const int step = Panel<Dot>::kColumns / a.matrix.group_size;
  Panel<Dot> panels[B];
  alignas(64) float sums[kBlocksTogether<Dot>][kMaxTokens * 16];
  for (int i = 0; i < blocks; ++i) start_sums<typename Dot::Vector>(a, first_block + i, sums[i]);
  for (int g = 0; g < groups; g += step) {
    const int count = groups - g < step ? groups - g : step;
    in_blocks<B>(blocks, [&]<int kTogether>(int i) {
      add_panels<Dot, kBits, kTogether>(a, first_block + i, g, count, panels, sums + i);
    });
  }
  store_blocks<typename Dot::Vector>(a, a.matrix.rows, first_block, blocks, sums);
}

/// The same for few tokens, from the packed form, without panels.
template <class Dot, int kBits>
void multiply_streaming(const MultiplyArguments& a, int first_block, int blocks) {
  using V = typename Dot::Vector;
  constexpr int kRows = kRowsOfToken<Dot>;
  const PackedBlocks& m = a.matrix;
  alignas(64) float sums[kBlocksTogether<Dot>][kMaxTokens * 16];
  const TileView x = tile_view<Dot>(a, 0, a.tokens, 0);
  for (int i = 0; i < blocks; ++i) {
    start_sums<V>(a, first_block + i, sums[i]);
    const std::uint8_t* weights = m.data + (first_block + i) * m.block_bytes;
    with_tokens<V::kStreamedTokens / kRows>(a.tokens, [&]<int T>() {
      stream_groups<Dot, kBits, kRows * T>(m, weights, m.columns / m.group_size, x, sums[i]);
    });
  }
  store_blocks<V>(a, m.rows, first_block, blocks, sums);
}

template <class Dot, int kBits>
void multiply_blocks(const MultiplyArguments& a) {
  for (int block = a.first_block; block < a.last_block; block += kBlocksTogether<Dot>) {
    const int left = a.last_block - block,
              count = left < kBlocksTogether<Dot> ? left : kBlocksTogether<Dot>;
    if constexpr (Dot::kRoundsToBytes && !MultipliesSums<Dot>)
      if (kRowsOfToken<Dot> * a.tokens <= Dot::Vector::kStreamedTokens) {
        multiply_streaming<Dot, kBits>(a, block, count);
        continue;
      }
    multiply_by_panels<Dot, kBits>(a, block, count);
  }
}

template <class Dot, int kBits>
void multiply_bits(const MultiplyArguments& a) {
  if constexpr (kBits <= kMostBits<Dot>) multiply_blocks<Dot, kBits>(a);
}

template <class Dot>
void multiply(const MultiplyArguments& a) {
  switch (a.matrix.bits) {
    case 2:
      return multiply_bits<Dot, 2>(a);
    case 3:
      return multiply_bits<Dot, 3>(a);
    case 4:
      return multiply_bits<Dot, 4>(a);
    case 5:
      return multiply_bits<Dot, 5>(a);
    case 6:
      return multiply_bits<Dot, 6>(a);
    case 8:
      return multiply_bits<Dot, 8>(a);
  }
}

}  // namespace prismvid::nn::kernels
