#include "core/cpu.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace prismvid {
namespace {

#ifdef __linux__
int affinity_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

/// cgroup v2 writes "QUOTA PERIOD", or "max PERIOD" for no limit.
int quota_threads() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::max(1, static_cast<int>(std::ceil(std::stod(quota) / period)));
}
#else
int affinity_threads() { return 0; }
int quota_threads() { return 0; }
#endif

}  // namespace

int available_threads() {
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  for (int limit : {affinity_threads(), quota_threads()})
    if (limit > 0) threads = std::min(threads, limit);
  return threads;
}

}  // namespace prismvid
