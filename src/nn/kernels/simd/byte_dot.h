#pragma once

#include "nn/kernels/kernel_table.h"

namespace prismvid::nn::kernels {

/// Products of bytes with rounded activations: four columns in a step. Of two parts an activation
/// is two bytes in two neighbouring rows, the second what rounding left of the first, kFiner times
/// as large: together 16 bits of a group's largest.
template <class V, int kParts = 1>
struct ByteDot {
  using Vector = V;
  using Sum = typename V::Bytes;
  static constexpr int kColumnsPerStep = 4;
  static constexpr int kRows = kParts;
  static constexpr bool kRoundsToBytes = true;
  static constexpr int kMost = 127, kFiner = 2 * kMost;  // of a rounded activation

  /// Tokens whose sums fit into the registers together.
  template <int kBits>
  static constexpr int kTokensTogether = V::template kTokensTogether<kBits>;
  /// Steps that dot() may add up before V::widened(); 0: sums are wide at once.
  template <int kBits>
  static constexpr int kPartialSteps = V::template kPartialSteps<kBits>;
  static constexpr bool kPairsBlocks = V::kPairsBlocks;
  /// Blocks of 16 rows whose sums are in registers together, so that an activation serves them all.
  template <int kBits>
  static constexpr int kBlocksPerTile = kPairsBlocks ? 2 : 1;
  /// What was taken off each weight to make it a signed byte.
  template <int kBits>
  static constexpr int kOffset = V::template kOffset<kBits>;

  static Sum zero() { return V::zero_bytes(); }
  static typename V::Floats to_floats(Sum sum) { return V::to_floats(sum); }
  template <int kBits>
  static Sum dot(Sum sum, typename V::Bytes weights, const void* x) {
    return V::template dot_bytes<kBits>(sum, weights, x);
  }
  template <int kBits>
  static Sum dot_repeated(Sum sum, typename V::Bytes weights, typename V::Bytes four) {
    return V::template dot_repeated<kBits>(sum, weights, four);
  }
  /// The first step of a sum.
  template <int kBits>
  static Sum product(typename V::Bytes weights, const void* x) {
    return V::template multiply_bytes<kBits>(weights, x);
  }
  template <int kBits>
  static void store_panel(std::uint8_t* panel, typename V::Bytes bytes) {
    V::store_bytes(panel, V::template offset<kBits>(bytes));
  }
  /// Stores 16 whole numbers as bytes, each first four of eight with `kFlipped` bits.
  template <std::uint32_t kFlipped = 0>
  static typename V::Floats store_activations(std::uint8_t* out, std::size_t stride,
                                              typename V::Floats x) {
    std::int8_t bytes[16];
    const auto whole = V::to_integers(x);
    V::store_narrow(bytes, whole);
    for (int i = 0; i < 4; ++i) {
      std::uint32_t four;
      __builtin_memcpy(&four, bytes + 4 * i, 4);
      if (i % 2 == 0) four ^= kFlipped;
      __builtin_memcpy(out + i * stride, &four, 4);
    }
    return V::to_floats(whole);
  }
};

/// Rows of activations that make up a token's.
template <class Dot>
constexpr int kRowsOfToken = 1;
template <class Dot>
requires Dot::kRoundsToBytes constexpr int kRowsOfToken<Dot> = Dot::kRows;

/// Multiplies two rows by two tokens in one instruction: weights of two steps lie together, and
/// add_pairs() takes the place of add_dots().
template <class Dot>
concept MatrixDot = requires {
  typename Dot::PairSums;
};

/// Multiplies two blocks of rows by each activation that is loaded.
template <class Dot>
concept PairsBlocks = Dot::kPairsBlocks;

/// Multiplies sums of weights and activations, see ByteSumDot.
template <class Dot>
concept MultipliesSums = Dot::kMultipliesSums;

/// Bits of the widest weights that it multiplies.
template <class Dot>
constexpr int kMostBits = 8;
template <MultipliesSums Dot>
constexpr int kMostBits<Dot> = kMostBitsSummed;

/// Multiplies in tiles of weights that are scaled already: its add() takes the place of a panel's
/// loops.
template <class Dot>
concept TiledDot = Dot::kIsTiled;

/// Tokens whose activations lie together, see Prepare.
template <class Dot>
constexpr int kTileTokens = kMaxTile;
template <TiledDot Dot>
constexpr int kTileTokens<Dot> = kTiledTokens;

}  // namespace prismvid::nn::kernels
