#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace prismvid::nn::kernels {

using AlignedMemory = std::unique_ptr<std::uint8_t, void (*)(void*)>;

/// Uninitialised memory aligned to 64 bytes or, from 2 MiB on, to huge pages: they spare the page
/// walks of a long stream. Throws std::bad_alloc.
AlignedMemory allocate_aligned(std::size_t bytes);

}  // namespace prismvid::nn::kernels
