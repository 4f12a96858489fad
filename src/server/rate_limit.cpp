#include "server/rate_limit.h"

#include <algorithm>

namespace prismvid::server {
namespace {

constexpr size_t kMostClients = 10'000;

}  // namespace

double RateLimit::take(const std::string& client, Clock::time_point now) {
  if (per_second_ <= 0) return 0;
  const std::lock_guard lock(mutex_);
  if (buckets_.size() > kMostClients) forget_full(now);
  const auto [entry, fresh] = buckets_.try_emplace(client, Bucket{most_, now});
  Bucket& bucket = entry->second;
  const double elapsed = std::chrono::duration<double>(now - bucket.at).count();
  bucket.tokens = std::min(most_, bucket.tokens + elapsed * per_second_);
  bucket.at = now;
  if (bucket.tokens < 1) return (1 - bucket.tokens) / per_second_;
  bucket.tokens -= 1;
  return 0;
}

/// A full bucket says no more than none.
void RateLimit::forget_full(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    const double elapsed = std::chrono::duration<double>(now - entry.second.at).count();
    return entry.second.tokens + elapsed * per_second_ >= most_;
  });
}

}  // namespace prismvid::server
