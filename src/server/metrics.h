#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "server/prometheus.h"

namespace prismvid::server {

/// What the service has answered and how fast. Thread-safe.
class Metrics {
 public:
  void count(const std::string& method, int status, double seconds);
  void write(PrometheusText& out) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
  Histogram seconds_{{0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5}};
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace prismvid::server
