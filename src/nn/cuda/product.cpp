#include "nn/cuda/product.h"

#include <algorithm>
#include <string>

#include "core/error.h"

namespace prismvid::cuda {
namespace {

constexpr int kFewTokens = 8;               // for which x fits beside the rings
constexpr size_t kMostBytesOfX = 64 << 10;  // of shared memory, a block
constexpr unsigned kTokenThreads = TokenShape<4, 64>::kThreads;  // the same for all of one token
constexpr unsigned kTileThreads = 256;

struct Shape {
  int column_tiles, block_rows, chunk, wide_bytes;
  unsigned threads;
  bool warpgroups;
  size_t (*shared_bytes)(int tokens, int columns);
  int tile_columns, tile_bytes;
  size_t (*token_bytes)(int columns);
  size_t (*step_bytes)(int columns);
  size_t (*wide_step_bytes)(int columns);
};

template <int Bits, int Unit>
Shape shape_for(int tokens) {
  const auto of = []<class S>(S) {
    return Shape{S::ColumnTiles,
                 S::kBlockRows,
                 S::kChunk,
                 S::kWideBytes,
                 S::kThreads,
                 S::kWarpgroups,
                 [](int t, int columns) { return S::shared_bytes(t, columns); },
                 TokenShape<Bits, Unit>::kTile,
                 TokenShape<Bits, Unit>::kTileBytes,
                 &TokenShape<Bits, Unit>::shared_bytes,
                 &step_shared_bytes<StepShape<Bits, Unit, false>>,
                 &step_shared_bytes<StepShape<Bits, Unit, true>>};
  };
  if (tokens <= kFewTokens) return of(ProductShape<Bits, Unit, 1, 8>{});
  if (Kernels::instance().has_warpgroups())
    return tokens <= 32 ? of(WarpgroupShape<Bits, Unit, 4>{}) : of(WarpgroupShape<Bits, Unit, 8>{});
  return tokens <= 32 ? of(ProductShape<Bits, Unit, 4, 1>{}) : of(ProductShape<Bits, Unit, 8, 1>{});
}

template <int Bits>
Shape shape_for(int unit, int tokens) {
  return unit == 32 ? shape_for<Bits, 32>(tokens) : shape_for<Bits, 64>(tokens);
}

Shape shape_for(int bits, int unit, int tokens) {
  switch (bits) {
    case 2:
      return shape_for<2>(unit, tokens);
    case 3:
      return shape_for<3>(unit, tokens);
    case 4:
      return shape_for<4>(unit, tokens);
    case 5:
      return shape_for<5>(unit, tokens);
    case 6:
      return shape_for<6>(unit, tokens);
    case 8:
      return shape_for<8>(unit, tokens);
    default:
      return shape_for<16, 64>(tokens);
  }
}

// So many that the part of x of one block fits into shared memory beside the rings.
int slices_for_few(int columns, int tokens, int chunk) {
  const int chunks = columns / chunk;
  const size_t padded = static_cast<size_t>(ProductShape<4, 64, 1, 8>::padded_tokens(tokens));
  int slices = 1;
  while (padded * ((chunks + slices - 1) / slices) * chunk * 2 > kMostBytesOfX && slices < chunks)
    ++slices;
  return slices;
}

// So many that the multiprocessors, of which each has room for one block of warpgroups or for two
// others, have work, each block a few chunks at least.
int slices_for_many(int packed_rows, int block_rows, bool warpgroups, int chunks) {
  const int blocks = (packed_rows + block_rows - 1) / block_rows, most = warpgroups ? 1 : 2,
            fewest_chunks = warpgroups ? 2 : 4;
  return std::clamp(most * Kernels::instance().multiprocessors() / blocks, 1,
                    std::max(1, chunks / fewest_chunks));
}

int unit_of(int bits, int group) {
  return bits < 16 && group == 32 ? 32 : 64;
}

int row_tiles(const ProductArguments& a) {
  return (a.packed_rows() + 15) / 16;
}

int blocks_of(const ProductArguments& a, const Shape& shape) {
  return (a.packed_rows() + shape.block_rows - 1) / shape.block_rows;
}

void multiply_one(int bits, int unit, const Shape& shape, ProductArguments& a, CUstream stream) {
  const Kernels& kernels = Kernels::instance();
  a.slices = 1;
  const size_t shared = shape.token_bytes(a.columns);
  const CUfunction function = kernels.product(bits, "token_" + std::to_string(unit));
  Kernels::prefer_shared_memory(function);
  check(kernels.blocks_at_once(function, kTokenThreads, shared) > 0, ErrorCode::kUnavailable,
        "CUDA: no room for the kernel of one token");
  const int wanted = std::min(row_tiles(a), kernels.multiprocessors());
  launch({function,
          {static_cast<unsigned>(wanted), 1, 1},
          kTokenThreads,
          static_cast<unsigned>(shared)},
         a, stream);
}

void multiply_few(int bits, int unit, const Shape& shape, ProductArguments& a, CUstream stream) {
  const Kernels& kernels = Kernels::instance();
  a.slices = slices_for_few(a.columns, a.tokens, shape.chunk);
  const int chunks = a.columns / shape.chunk;
  const size_t shared =
      shape.shared_bytes(a.tokens, (chunks + a.slices - 1) / a.slices * shape.chunk);
  const CUfunction function = kernels.product(bits, "product_" + std::to_string(unit));
  const int at_once = kernels.blocks_at_once(function, 256, shared);
  check(at_once > 0, ErrorCode::kUnavailable, "CUDA: this device has too little shared memory for ",
        a.tokens, " tokens at ", bits, " bits (", shared, " bytes)");
  const int wanted =
      std::clamp(kernels.multiprocessors() * at_once / a.slices, 1, blocks_of(a, shape));
  launch({function,
          {static_cast<unsigned>(wanted), static_cast<unsigned>(a.slices), 1},
          256,
          static_cast<unsigned>(shared)},
         a, stream);
}

void multiply_many(int bits, int unit, const Shape& shape, ProductArguments& a, CUstream stream) {
  const Kernels& kernels = Kernels::instance();
  const std::string kind = (shape.warpgroups ? "_warpgroups_" : "_") + std::to_string(unit) + "_" +
                           std::to_string(shape.column_tiles);
  const int blocks = blocks_of(a, shape), chunks = a.columns / shape.chunk;
  a.slices = 1;
  launch({kernels.product(bits, "arrange" + kind),
          {static_cast<unsigned>(chunks), static_cast<unsigned>(shape.column_tiles), 1},
          shape.threads,
          0},
         a, stream);
  a.slices = slices_for_many(a.packed_rows(), shape.block_rows, shape.warpgroups, chunks);
  const CUfunction function = kernels.product(bits, "wide" + kind);
  check(kernels.blocks_at_once(function, shape.threads, static_cast<size_t>(shape.wide_bytes)) > 0,
        ErrorCode::kUnavailable, "CUDA: this device has too little shared memory for ", a.tokens,
        " tokens at ", bits, " bits (", shape.wide_bytes, " bytes)");
  launch({function,
          {static_cast<unsigned>(blocks), static_cast<unsigned>(a.slices), 1},
          shape.threads,
          static_cast<unsigned>(shape.wide_bytes)},
         a, stream);
}

}  // namespace

bool has_product(int bits, int group, int columns) {
  if (bits == 16) return columns % 64 == 0;
  const bool packed = bits >= 2 && bits <= 8 && bits != 7;
  return packed && (group == 32 || group == 64 || group == 128) && columns % 256 == 0;
}

void multiply(int bits, ProductArguments& a, CUstream stream) {
  check(a.tokens >= 1 && a.tokens <= kMostTokens && has_product(bits, a.group, a.columns),
        ErrorCode::kInternal, "no CUDA kernel for ", a.tokens, " tokens, ", bits,
        " bits, groups of ", a.group, " and ", a.columns, " columns");
  const int unit = unit_of(bits, a.group);
  const Shape shape = shape_for(bits, unit, a.tokens);
  const bool one = a.tokens == 1 && a.tiles &&
                   shape.token_bytes(a.columns) <= Kernels::instance().most_shared_bytes();
  const auto run = one ? multiply_one : a.tokens <= kFewTokens ? multiply_few : multiply_many;
  run(bits, unit, shape, a, stream);
}

size_t tile_bytes(int bits, const ProductArguments& a) {
  const Shape shape = shape_for(bits, unit_of(bits, a.group), 1);
  return static_cast<size_t>(row_tiles(a)) * (a.columns / shape.tile_columns) * shape.tile_bytes;
}

void arrange_tiles(int bits, const ProductArguments& a, char* out, CUstream stream) {
  const std::string name = "tiles_" + std::to_string(unit_of(bits, a.group));
  launch({Kernels::instance().product(bits, name),
          {static_cast<unsigned>(row_tiles(a)), 1, 1},
          kTileThreads,
          0},
         TileArguments{a, reinterpret_cast<uint32_t*>(out)}, stream);
}

// bf16 streams faster a kernel a product.
bool has_step(int bits, int group, int columns) {
  return bits < 16 && has_product(bits, group, columns) &&
         shape_for(bits, unit_of(bits, group), 1).wide_step_bytes(columns) <=
             Kernels::instance().most_shared_bytes();
}

void start_step(int bits, int group, int blocks, const StepArguments& arguments, CUstream stream) {
  const Kernels& kernels = Kernels::instance();
  const int unit = unit_of(bits, group);
  const Shape shape = shape_for(bits, unit, 1);
  const bool wide = shape.step_bytes(arguments.columns) > kernels.most_shared_bytes();
  const size_t shared = (wide ? shape.wide_step_bytes : shape.step_bytes)(arguments.columns);
  const CUfunction function =
      kernels.product(bits, (wide ? "wide_step_" : "step_") + std::to_string(unit));
  check(kernels.blocks_at_once(function, kTokenThreads, shared) > 0, ErrorCode::kUnavailable,
        "CUDA: no room for the kernel of a step of one token");
  launch({function,
          {static_cast<unsigned>(blocks), 1, 1},
          kTokenThreads,
          static_cast<unsigned>(shared)},
         arguments, stream);
}

WorkspaceSizes workspace_sizes(int packed_rows, int columns, int tokens) {
  const Shape shape = shape_for<16, 64>(tokens);  // of the smallest chunks
  const size_t many = static_cast<size_t>(
      slices_for_many(packed_rows, shape.block_rows, shape.warpgroups, columns / shape.chunk));
  const size_t few = static_cast<size_t>(
      std::max(slices_for_few(columns, kFewTokens, 64), slices_for_few(columns, kFewTokens, 256)));
  const size_t padded = static_cast<size_t>(tokens <= 32 ? 32 : 64);
  const size_t stride = static_cast<size_t>(packed_rows + 3) / 4 * 4;  // part_stride()
  return {std::max(few, many) * tokens * stride * 4, padded * columns * 2,
          padded * (columns / 32) * 4};
}

}  // namespace prismvid::cuda
