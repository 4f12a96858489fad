#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace prismvid::nn::kernels {

using AlignedMemory = std::shared_ptr<std::uint8_t>;

/// Uninitialised memory aligned to 64 bytes. What is worth it lies in huge pages, one behind the
/// other, which are freed with the last that lies in them: they spare the page walks of a long
/// stream, and processors fetch ahead only within a page. Thread-safe. Throws std::bad_alloc.
AlignedMemory allocate_aligned(std::size_t bytes);

struct FreeBytes {
  void operator()(std::uint8_t* bytes) const { std::free(bytes); }
};
using Scratch = std::unique_ptr<std::uint8_t[], FreeBytes>;

/// Uninitialised memory aligned to 64 bytes for the length of a call. Throws std::bad_alloc.
Scratch allocate_scratch(std::size_t bytes);

}  // namespace prismvid::nn::kernels
