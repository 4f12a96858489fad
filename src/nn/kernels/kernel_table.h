#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/kernels/isa.h"
#include "nn/kernels/number.h"

namespace prismvid::nn::kernels {

/// How activations take part in a product with quantised weights.
enum class Precision {
  kInt8,  // rounded to 8 bits per group of columns; the products are exact integers
  kFull,  // bf16 where the processor multiplies bf16, f32 elsewhere
};

/// Tokens of one product that are worked on together.
constexpr int kMaxTile = 12;
constexpr int kMaxTokens = 20 * kMaxTile;

/// Rows of activations made ready for a level's own product, a tile of up to kMaxTile tokens.
struct PrepareArguments {
  const void* input;  // (tokens, columns)
  NumberType input_type;
  std::size_t input_stride;  // in numbers
  int tokens;
  int columns;
  int group_size;
  std::uint8_t* prepared;  // prepared_bytes()
};

/// Room for a prepared tile: 4 bytes a column, a scale and a sum for each group.
constexpr std::size_t prepared_bytes(int tokens, int columns, int group_size) {
  return std::size_t(tokens) * (std::size_t(columns) * 4 + std::size_t(columns / group_size) * 8);
}

/// A packed matrix without its owner: see PackedMatrix for the layout.
struct PackedBlocks {
  const std::uint8_t* data;
  std::size_t block_bytes;
  int rows, columns, bits, group_size;
  NumberType scale_type;
};

struct MultiplyArguments {
  PackedBlocks matrix;
  const float* bias;  // rows rounded up to 16, or null
  int first_block, last_block;
  const std::uint8_t* prepared;  // tile after tile, each of kMaxTile tokens but the last
  int tokens;                    // at most kMaxTokens
  void* output;                  // (tokens, rows)
  NumberType output_type;
  std::size_t output_stride;
};

/// A plain matrix in blocks of 16 rows: see DenseMatrix for the layout.
struct DenseBlocks {
  const std::uint8_t* data;
  NumberType type;
  int rows, columns;
};

struct DenseArguments {
  DenseBlocks matrix;
  const float* bias;  // rows rounded up to 16, or null
  int first_block, last_block;
  const std::uint8_t* prepared;  // as in MultiplyArguments, with one group
  int tokens;
  void* output;
  NumberType output_type;
  std::size_t output_stride;
};

/// One instruction-set level's functions; arrays are indexed by Precision
/// or, for plain matrices, by NumberType.
struct KernelTable {
  Isa isa;
  void (*prepare[2])(const PrepareArguments&);
  void (*multiply[2])(const MultiplyArguments&);
  void (*prepare_dense[2])(const PrepareArguments&);  // these two: f32 weights, bf16 weights
  void (*multiply_dense[2])(const DenseArguments&);
};

/// Throws kUnavailable for a level this processor or this build lacks.
const KernelTable& kernel_table(Isa isa);

const KernelTable& portable_kernels();
const KernelTable& avx2_kernels();
const KernelTable& avx512_kernels();

}  // namespace prismvid::nn::kernels
