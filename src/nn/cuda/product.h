#pragma once

#include "nn/cuda/arguments.h"
#include "nn/cuda/driver.h"

namespace prismvid::cuda {

constexpr int kMostTokens = 64;

/// Whether there is a kernel for such matrices.
bool has_product(int bits, int group, int columns);

/// Starts a product, which must fit (has_product()); sets the slices of `arguments`. Its workspaces
/// must be of the sizes below and unused by what runs beside it.
void multiply(int bits, ProductArguments& arguments, CUstream stream);

/// Workspaces that are enough for every product of so many tokens, packed rows and columns.
struct WorkspaceSizes {
  size_t partial = 0, arranged = 0, arranged_sums = 0;  // in bytes
};
WorkspaceSizes workspace_sizes(int packed_rows, int columns, int tokens);
constexpr size_t kArrivedCounters = 65536;

}  // namespace prismvid::cuda
