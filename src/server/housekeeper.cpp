#include "server/housekeeper.h"

#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>

#include "server/webhooks.h"

namespace prismvid::server {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(250);
constexpr auto kTidyEvery = std::chrono::minutes(10);
constexpr int64_t kDaySeconds = 24 * 3600;
constexpr int64_t kUploadSeconds = kDaySeconds;

}  // namespace

void Housekeeper::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  auto tidied = std::chrono::steady_clock::time_point::min();
  while (!stop.stop_requested()) {
    try {
      while (!stop.stop_requested() && tell_webhook(context_)) {
      }
      const auto now = std::chrono::steady_clock::now();
      if (tidied == std::chrono::steady_clock::time_point::min() || now - tidied > kTidyEvery) {
        context_.uploads.remove_old(kUploadSeconds);
        context_.jobs.borrow()->forget_ended(context_.options.kept_job_days * kDaySeconds, context_.options.kept_jobs);
        tidied = now;
      }
    } catch (const Error& error) {
      spdlog::warn("housekeeping: {}", error.what());
    }
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

}  // namespace prismvid::server
