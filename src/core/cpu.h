#pragma once

namespace prismvid {

/// Threads this process may run at once: the smaller of its CPU affinity and its cgroup's quota, at least 1.
int available_threads();

}  // namespace prismvid
