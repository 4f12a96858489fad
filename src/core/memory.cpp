#include "core/memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

namespace prismvid {
namespace {

namespace fs = std::filesystem;

std::optional<uint64_t> smaller(std::optional<uint64_t> a, std::optional<uint64_t> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

/// v2 writes "max" and v1 a number near 2^63 where there is no limit.
std::optional<uint64_t> read_limit(const fs::path& file) {
  std::ifstream in(file);
  std::string text;
  uint64_t bytes = 0;
  if (!(in >> text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const bool is_limit =
      error == std::errc() && end == text.data() + text.size() && bytes < uint64_t{1} << 62;
  return is_limit ? std::optional(bytes) : std::nullopt;
}

/// In a container the group's own path may be the host's and not be there; its parents' files still
/// count.
std::optional<uint64_t> smallest_limit(const fs::path& top, const std::string& group,
                                       const char* file) {
  std::optional<uint64_t> smallest;
  for (fs::path at = fs::path(group).relative_path().lexically_normal();; at = at.parent_path()) {
    smallest = smaller(smallest, read_limit(top / at / file));
    if (at.empty() || at == ".") return smallest;
  }
}

}  // namespace

std::optional<uint64_t> memory_limit_bytes(const fs::path& membership, const fs::path& mount) {
  std::optional<uint64_t> smallest;
  std::ifstream in(membership);
  for (std::string line;
       std::getline(in, line);) {  // "ID:CONTROLLERS:PATH", v2 without controllers
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                      group = line.substr(second + 1);
    if (controllers == ",,") smallest = smaller(smallest, smallest_limit(mount, group, "memory.max"));
    if (controllers.find(",memory,") != std::string::npos)
      smallest = smaller(smallest, smallest_limit(mount / "memory", group, "memory.limit_in_bytes"));
  }
  return smallest;
}

uint64_t machine_memory_bytes() {
  const auto physical = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<uint64_t>(::sysconf(_SC_PAGE_SIZE));
  return std::min(physical,
                  memory_limit_bytes("/proc/self/cgroup", "/sys/fs/cgroup").value_or(physical));
}

}  // namespace prismvid
