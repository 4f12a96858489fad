#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace prismvid {

/// Bytes of memory this process may use: the smaller of the machine's and its container's limit.
uint64_t machine_memory_bytes();

/// The smallest memory limit (cgroup v2's memory.max, v1's memory.limit_in_bytes) on the way from
/// the group that `membership` (a /proc/self/cgroup) names to the top of `mount`; nullopt for none.
std::optional<uint64_t> memory_limit_bytes(const std::filesystem::path& membership,
                                           const std::filesystem::path& mount);

}  // namespace prismvid
