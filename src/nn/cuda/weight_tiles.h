#pragma once

#include <map>
#include <utility>
#include <vector>

#include "nn/cuda/arguments.h"
#include "nn/cuda/driver.h"

namespace prismvid::cuda {

/// A second copy of products' weights, in the order in which the kernels of one token read them
/// (tiles.cuh).
class WeightTiles {
 public:
  /// A product's first matrix tells it from the others; what it reads and writes is not looked at.
  void add(int bits, const ProductArguments& product) { products_.emplace_back(bits, product); }

  /// Arranges what was added, unless that takes more than half of what the device has free; whether
  /// it did. Throws Error(kUnavailable) where the device fails.
  bool make();

  /// The tiles of a product that was added, or null.
  const char* of(const ProductArguments& product) const;

 private:
  std::vector<std::pair<int, ProductArguments>> products_;  // with their bits
  std::map<const uint32_t*, size_t> offsets_;
  DeviceBuffer memory_;
};

}  // namespace prismvid::cuda
