#include "nn/kernels/aligned_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace prismvid::nn::kernels {
namespace {

TEST(AlignedMemory, StaysAsWrittenWhenItsNeighboursAreFreed) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  std::vector<AlignedMemory> kept;
  const std::size_t sizes[] = {1, kMiB / 2, kMiB + 1, 5 * kMiB, 40 * kMiB, 70 * kMiB, 30 * kMiB};
  for (int i = 0; i < 14; ++i) {
    const std::size_t size = sizes[i % 7];
    AlignedMemory memory = allocate_aligned(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % 64, 0u);
    std::memset(memory.get(), i, size);
    if (i % 2 == 0) kept.push_back(std::move(memory));
  }
  for (int i = 0; i < 14; i += 2) {
    EXPECT_EQ(kept[i / 2].get()[0], i);
    EXPECT_EQ(kept[i / 2].get()[sizes[i % 7] - 1], i);
  }
}

}  // namespace
}  // namespace prismvid::nn::kernels
