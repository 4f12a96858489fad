#pragma once

#include "nn/cuda/arguments.h"
#include "nn/cuda/driver.h"

namespace prismvid::cuda {

constexpr int kMostTokens = 64;

/// Whether there is a kernel for such matrices.
bool has_product(int bits, int group, int columns);

/// Starts a product, which must fit (has_product()); sets the slices of `arguments`. Its workspaces
/// must be of the sizes below and unused by what runs beside it. One token is fastest with tiles.
void multiply(int bits, ProductArguments& arguments, CUstream stream);

/// Bytes of the tiles of a product's weights (tiles.cuh), a multiple of 256.
size_t tile_bytes(int bits, const ProductArguments& product);

/// Starts writing them to `out`, in memory of the device.
void arrange_tiles(int bits, const ProductArguments& product, char* out, CUstream stream);

/// Whether the kernel of all layers of one token has such matrices, of so many columns at most.
bool has_step(int bits, int group, int columns);

/// Starts it, all its products with tiles, on as many blocks, at most one a multiprocessor and a
/// row tile of each product. They wait for each other, so all must come to run at a time.
void start_step(int bits, int group, int blocks, const StepArguments& arguments, CUstream stream);

/// Workspaces that are enough for every product of so many tokens, packed rows and columns.
struct WorkspaceSizes {
  size_t partial = 0, arranged = 0, arranged_sums = 0;  // in bytes
};
WorkspaceSizes workspace_sizes(int packed_rows, int columns, int tokens);
constexpr size_t kArrivedCounters = 65536;

}  // namespace prismvid::cuda
