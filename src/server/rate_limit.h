#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace prismvid::server {

/// So many requests a second of one client, with a reserve for bursts (token bucket). Thread-safe.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  /// `per_second` 0: no limit.
  explicit RateLimit(double per_second, double burst_seconds = 5)
      : per_second_(per_second), most_(per_second * burst_seconds) {}

  /// 0 where the client may go on, else the seconds it has to wait.
  double take(const std::string& client, Clock::time_point now = Clock::now());

 private:
  struct Bucket {
    double tokens = 0;
    Clock::time_point at;
  };
  void forget_full(Clock::time_point now);

  const double per_second_;
  const double most_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace prismvid::server
