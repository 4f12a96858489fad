#include "server/metrics.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

namespace prismvid::server {
namespace {

/// Methods are free text of the client: unknown ones must not make the table grow.
std::string known_method(const std::string& method) {
  static const std::set<std::string> kKnown = {"GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"};
  return kKnown.contains(method) ? method : "other";
}

/// Of this process; 0 where the system does not tell.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

void Metrics::count(const std::string& method, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{known_method(method), status}];
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++buckets_[static_cast<size_t>(bound - kBounds.begin())];
  seconds_ += seconds;
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::ostringstream out;
  out << "# HELP prismvid_http_requests_total Requests answered.\n# TYPE prismvid_http_requests_total counter\n";
  for (const auto& [key, value] : requests_)
    out << "prismvid_http_requests_total{method=\"" << key.first << "\",status=\"" << key.second << "\"} " << value << '\n';
  out << "# HELP prismvid_http_seconds Time until an answer was ready to be sent.\n# TYPE prismvid_http_seconds histogram\n";
  uint64_t all = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    all += buckets_[i];
    out << "prismvid_http_seconds_bucket{le=\"";
    if (i < kBounds.size()) out << kBounds[i];
    else out << "+Inf";
    out << "\"} " << all << '\n';
  }
  out << "prismvid_http_seconds_sum " << seconds_ << "\nprismvid_http_seconds_count " << all << '\n';
  out << "# HELP prismvid_uptime_seconds Since the service began.\n# TYPE prismvid_uptime_seconds gauge\nprismvid_uptime_seconds "
      << std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count() << '\n';
  out << "# HELP process_resident_memory_bytes Memory in use.\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes "
      << resident_bytes() << '\n';
  return out.str();
}

}  // namespace prismvid::server
