#include "server/metrics.h"

#include <fstream>
#include <set>
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
  seconds_.add(seconds);
}

void Metrics::write(PrometheusText& out) const {
  const std::lock_guard lock(mutex_);
  out.begin("prismvid_http_requests_total", "counter", "Requests answered.");
  for (const auto& [key, value] : requests_)
    out.sample(static_cast<double>(value), {{"method", key.first}, {"status", std::to_string(key.second)}});
  out.histogram("prismvid_http_seconds", "Time until an answer was ready to be sent.", seconds_);
  out.gauge("prismvid_uptime_seconds", "Since the service began.", std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count());
  out.gauge("process_resident_memory_bytes", "Memory in use.", static_cast<double>(resident_bytes()));
}

}  // namespace prismvid::server
