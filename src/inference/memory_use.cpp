#include "inference/memory_use.h"

#include <sys/resource.h>

#include <algorithm>

#include "nn/mlx.h"

namespace prismvid::inference {

uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  const uint64_t process = static_cast<uint64_t>(usage.ru_maxrss);
#else
  const uint64_t process = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
#endif
  return std::max<uint64_t>(process, mx::get_peak_memory());
}

}  // namespace prismvid::inference
