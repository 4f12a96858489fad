#include "nn/cuda/weight_tiles.h"

#include "nn/cuda/product.h"

namespace prismvid::cuda {

bool WeightTiles::make() {
  size_t needed = 0, free = 0, all = 0;
  std::map<const uint32_t*, size_t> offsets;
  for (const auto& [bits, product] : products_) {
    offsets[product.matrices[0].weight] = needed;
    needed += tile_bytes(bits, product);
  }
  check_driver(cuMemGetInfo(&free, &all), "asking for the free memory");
  if (needed > free / 2) return false;
  memory_ = DeviceBuffer(needed);
  for (const auto& [bits, product] : products_)
    arrange_tiles(bits, product, memory_.as<char>() + offsets[product.matrices[0].weight], nullptr);
  check_driver(cuStreamSynchronize(nullptr), "arranging weights");
  offsets_ = std::move(offsets);
  products_.clear();
  return true;
}

const char* WeightTiles::of(const ProductArguments& product) const {
  const auto found = offsets_.find(product.matrices[0].weight);
  return found == offsets_.end() ? nullptr : memory_.as<char>() + found->second;
}

}  // namespace prismvid::cuda
