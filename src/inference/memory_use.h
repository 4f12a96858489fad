#pragma once

#include <chrono>
#include <cstdint>

// Inside inference only.
namespace prismvid::inference {

/// Most bytes this process has held at once, or the device where that is more.
uint64_t peak_memory();

inline double milliseconds_between(std::chrono::steady_clock::time_point start,
                                   std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

}  // namespace prismvid::inference
