#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/kernels/isa.h"
#include "nn/kernels/number.h"

namespace prismvid::nn::kernels {

/// How activations take part in a product with quantised weights.
enum class Precision {
  kInt8,  // rounded to bytes per group of columns; the products are exact integers
  kFull,  // 16 bits of the largest of a group of columns on x86, f32 elsewhere
  kFloat32,
};

/// Tokens of one product whose activations lie together: whole multiples of those that the levels
/// keep in registers.
constexpr int kMaxTile = 24;
constexpr int kMaxTokens = 11 * kMaxTile;

/// The same where sums are in the tiles of the processor, two of 16 tokens.
constexpr int kTiledTokens = 32;

/// Rows of activations made ready for a level's own product, a tile of tokens (see Prepare).
struct PrepareArguments {
  const void* input;  // (tokens, columns)
  NumberType input_type;
  std::size_t input_stride;  // in numbers
  int tokens;
  int columns;
  int group_size;
  std::uint8_t* prepared;  // prepared_bytes()
};

constexpr int kTasksPerThread = 16;

/// How activations are made ready, `tile` tokens at a time, and in how many tasks each thread then
/// multiplies them: many, so that one which loses its core for a while does not hold up the others.
struct Prepare {
  void (*run)(const PrepareArguments&) = nullptr;
  int tile = kMaxTile;
  int tasks_per_thread = kTasksPerThread;

  constexpr Prepare() = default;
  constexpr Prepare(void (*function)(const PrepareArguments&)) : run(function) {}
  constexpr Prepare(void (*function)(const PrepareArguments&), int tokens, int tasks)
      : run(function), tile(tokens), tasks_per_thread(tasks) {}
};

/// Room for a prepared tile: 4 bytes a column, a scale and a sum for each group.
constexpr std::size_t prepared_bytes(int tokens, int columns, int group_size) {
  return std::size_t(tokens) * (std::size_t(columns) * 4 + std::size_t(columns / group_size) * 8);
}

/// How a stream of weights, read once by few tokens, is fetched ahead: what processors fetch on
/// their own differs, and the wrong way halves the speed (docs/performance.md).
enum class Fetching {
  kOneLine,    // of a group, far ahead: the processor runs through the rest of a page (Zen 4)
  kFarSecond,  // each line, 8 KiB ahead, into the second cache (Emerald Rapids)
  kNearFirst,  // each line, 1 to 1.5 KiB ahead, past the second cache (Zen 3)
  kFarFirst,   // each line, 6 KiB ahead, past the second cache (Zen 5)
};

/// A packed matrix without its owner: see PackedMatrix for the layout.
struct PackedBlocks {
  const std::uint8_t* data;
  std::size_t block_bytes, scale_bytes;  // the latter of a group
  int rows, columns, bits, group_size;
  NumberType scale_type;
  bool has_bias_codes;  // see bias_code()
  Fetching fetching;
};

/// What is added to each result, (tokens, rows); no data: nothing.
struct Addend {
  const void* data;
  NumberType type;
  std::size_t stride;
};

/// A plain matrix in blocks of 16 rows: see DenseMatrix for the layout.
struct DenseBlocks {
  const std::uint8_t* data;
  NumberType type;
  int rows, columns;
};

/// Some blocks of a matrix (PackedBlocks or DenseBlocks) times prepared tokens.
template <class Matrix>
struct LinearArguments {
  Matrix matrix;
  const float* bias;  // rows rounded up to 16, or null
  Addend addend;
  int first_block, last_block;
  // Tile after tile, each as Prepare says but the last; of a plain matrix with one group.
  const std::uint8_t* prepared;
  int tokens;    // at most kMaxTokens
  void* output;  // (tokens, rows)
  NumberType output_type;
  std::size_t output_stride;
};
using MultiplyArguments = LinearArguments<PackedBlocks>;
using DenseArguments = LinearArguments<DenseBlocks>;

constexpr int kMaxHeadDim = 256;
constexpr int kKeysTogether = 128;              // keys of one step of the online softmax
constexpr int kQueriesTogether = 2 * kMaxTile;  // queries of one head that share packed keys
constexpr int kMaxQueryRows = 16;               // rows that read keys where they lie

/// Keys or values of one head made ready for a level's own product. Keys come in blocks of 16 as a
/// plain matrix's rows; values in tiles of kKeysTogether keys, each a plain matrix of head_dim
/// rows.
struct PackHeadArguments {
  const void* input;  // (tokens, head_dim)
  NumberType input_type;
  std::size_t input_stride;
  int tokens;
  int head_dim;
  std::uint8_t* packed;  // packed_head_bytes()
};

/// Room for one head's packed keys or values.
constexpr std::size_t packed_head_bytes(int tokens, int head_dim) {
  const std::size_t rows =
      (std::size_t(tokens) + kKeysTogether - 1) / kKeysTogether * kKeysTogether;
  return rows * ((std::size_t(head_dim) + 15) / 16 * 16) * 4;
}

/// softmax(scale q k^T) v for some queries of one head, whose keys and values are packed.
struct AttendBlockArguments {
  const void* queries;  // (query_count, head_dim)
  NumberType type;      // of queries and output
  std::size_t query_stride;
  int query_count;  // at most kQueriesTogether
  int head_dim;
  const std::uint8_t* keys;
  const std::uint8_t* values;
  int key_count;  // those that the last query sees
  bool causal;    // each query before it sees one less
  float scale;
  void* output;  // (query_count, head_dim)
  std::size_t output_stride;
};

/// Rows of numbers in groups of `group_size` adjacent ones, each of them scale * q + bias of its
/// group; the q of `bits` (4 or 8) stand side by side in 32-bit words, as MLX's affine form.
struct QuantizedRows {
  const std::uint32_t* words = nullptr;
  const void* scales = nullptr;
  const void* biases = nullptr;
  NumberType type = NumberType::kFloat32;  // of scales and biases
  int bits = 8;
  int group_size = 32;  // a multiple of 16
  std::size_t word_stride = 0, scale_stride = 0;
};

/// `count` rows of `columns` as plain numbers.
struct ExpandArguments {
  QuantizedRows rows;
  int first, count, columns;
  void* output;
  NumberType output_type;
  std::size_t output_stride;
};

/// The same for few queries of the heads that share keys and values, which are read where they lie.
struct AttendRowsArguments {
  const void* queries;  // (heads, query_count, head_dim)
  NumberType type;      // of all
  std::size_t query_head_stride, query_stride;
  int heads;
  int query_count;
  int head_dim;
  const void* keys;  // (key_count, head_dim)
  const void* values;
  std::size_t key_stride, value_stride;
  int key_count;
  bool causal;
  float scale;
  void* output;  // (heads, query_count, head_dim)
  std::size_t output_head_stride, output_stride;
  // Instead of keys and values where there are words.
  QuantizedRows quantized_keys = {}, quantized_values = {};
};

/// What the rows of AttendRowsArguments look at: as it lies, or expanded from words.
struct KeyRows {
  const void* keys;
  const void* values;
  NumberType type;
  std::size_t key_stride, value_stride;
};

/// Root mean square norm of one row, or layer norm where `bias` is given.
struct NormalizeArguments {
  const void* input;
  NumberType input_type;
  const void* weight;
  const void* bias;  // null: root mean square
  NumberType weight_type;
  int columns;
  float epsilon;
  void* output;
  NumberType output_type;
};

/// Rotary position of one token's heads, each behind its root mean square norm where `weight` is
/// given: channel i turns with channel i + head_dim / 2.
struct RotateArguments {
  const void* input;  // (heads, head_dim)
  NumberType type;    // of input and output
  int heads;
  int head_dim;        // at most kMaxHeadDim
  const void* weight;  // (head_dim), or null
  NumberType weight_type;
  float epsilon;
  const float* cos;  // (head_dim / 2)
  const float* sin;
  void* output;
  std::size_t output_head_stride;
};

enum class Activation { kSwiGlu, kGelu, kGeluTanh };

struct ActivateArguments {
  const void* input;
  const void* up;   // what silu(input) is multiplied with; kSwiGlu alone
  NumberType type;  // of all
  int count;
  void* output;
};

/// One instruction-set level's functions; arrays are indexed by Precision
/// or, for plain matrices, by NumberType.
struct KernelTable {
  Isa isa;
  Prepare prepare[3];
  void (*multiply[3])(const MultiplyArguments&);
  // In place of these where linear_kernels() says so; null where a level has no such form.
  Prepare prepare_tiles = {};
  void (*multiply_tiles)(const MultiplyArguments&) = nullptr;
  Prepare prepare_sums[2] = {};  // kInt8, kFull; see ByteSumDot
  void (*multiply_sums[2])(const MultiplyArguments&) = {};
  Prepare prepare_dense[2];  // these two: f32 weights, bf16 weights
  void (*multiply_dense[2])(const DenseArguments&);
  void (*attend_rows)(const AttendRowsArguments&);
  void (*expand)(const ExpandArguments&);
  void (*normalize)(const NormalizeArguments&);
  void (*rotate)(const RotateArguments&);
  void (*activate[3])(const ActivateArguments&);  // by Activation
  // f32 (and f16), bf16, rounded keys and values; null where another does all the work.
  void (*pack_keys[3])(const PackHeadArguments&);
  void (*pack_values[3])(const PackHeadArguments&);
  void (*attend_block[3])(const AttendBlockArguments&);
};

/// What makes activations ready for a product with quantised weights, and multiplies them.
struct LinearKernels {
  Prepare prepare;
  void (*multiply)(const MultiplyArguments&);
};

/// Widest weights whose sums with activations are multiplied.
constexpr int kMostBitsSummed = 4;

/// Those for so many activations of a type and weights of so many bits. Of many, a level with tiles
/// rounds activations and weights to bf16, which is faster than bytes and finer; kFull does so
/// where activations are bf16. Where it pays and weights are narrow, others multiply sums of bytes.
LinearKernels linear_kernels(const KernelTable& table, Precision precision, NumberType type,
                             int tokens, int bits);

/// Throws kUnavailable for a level this processor or this build lacks.
const KernelTable& kernel_table(Isa isa);

const KernelTable& portable_kernels();
const KernelTable& avx2_kernels();
const KernelTable& avx_vnni_kernels();
const KernelTable& avx512_kernels();
const KernelTable& avx512_bf16_kernels();
const KernelTable& amx_kernels();
const KernelTable& neon_kernels();
const KernelTable& neon_i8mm_kernels();

}  // namespace prismvid::nn::kernels
