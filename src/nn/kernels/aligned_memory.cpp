#include "nn/kernels/aligned_memory.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace prismvid::nn::kernels {
namespace {

constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSlab = 32 * kHugePage;
constexpr std::size_t kWorthSlab = kHugePage / 8;  // less has few pages anyway

std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

Scratch allocate(std::size_t bytes, std::size_t alignment) {
  void* data = std::aligned_alloc(alignment, rounded_up(bytes, alignment));
  if (data == nullptr) throw std::bad_alloc();
  return Scratch(static_cast<std::uint8_t*>(data));
}

/// Huge pages, given out from the front. Those that nobody has written to yet take no memory.
class Slab {
 public:
  explicit Slab(std::size_t size) : memory_(allocate(size, kHugePage)), left_(size) {
    next_ = memory_.get();
#ifdef __linux__
    madvise(next_, size, MADV_HUGEPAGE);
#endif
  }
  bool has(std::size_t bytes) const {
    return bytes <= left_;
  }
  std::uint8_t* take(std::size_t bytes) {
    left_ -= bytes;
    next_ += bytes;
    return next_ - bytes;
  }

 private:
  Scratch memory_;
  std::uint8_t* next_;
  std::size_t left_;
};

AlignedMemory part_of(const std::shared_ptr<Slab>& slab, std::size_t bytes) {
  return {slab, slab->take(bytes)};
}

}  // namespace

AlignedMemory allocate_aligned(std::size_t bytes) {
  bytes = rounded_up(std::max<std::size_t>(bytes, 1), kLine);
  if (bytes < kWorthSlab) return {allocate_scratch(bytes).release(), FreeBytes{}};
  if (bytes >= kSlab) return part_of(std::make_shared<Slab>(rounded_up(bytes, kHugePage)), bytes);
  static std::mutex mutex;
  static std::weak_ptr<Slab> newest;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Slab> slab = newest.lock();
  if (slab == nullptr || !slab->has(bytes)) newest = slab = std::make_shared<Slab>(kSlab);
  return part_of(slab, bytes);
}

Scratch allocate_scratch(std::size_t bytes) {
  return allocate(bytes, kLine);
}

}  // namespace prismvid::nn::kernels
