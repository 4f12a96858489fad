#include "server/event_hub.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/error.h"
#include "store/open_store.h"

namespace prismvid::server {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(50);
/// Jobs whose newest event is remembered; those forgotten are looked up in the database.
constexpr size_t kMostJobs = 20'000;

}  // namespace

EventHub::EventHub(const store::Address& database)
    : store_(store::open_job_store(database)),
      watcher_([this](std::stop_token stop) { watch(stop); }) {}

void EventHub::watch(std::stop_token stop) {
  int64_t version = -1, last = 0;
  while (!stop.stop_requested()) {
    try {
      const int64_t now = store_->version();
      if (now != version) {
        const auto news = store_->jobs_with_events_after(last);
        version = now;
        const std::lock_guard lock(mutex_);
        if (newest_.size() > kMostJobs) newest_.clear();
        for (const auto& [job, sequence] : news) {
          newest_[job] = sequence;
          last = std::max(last, sequence);
        }
        if (!news.empty()) changed_.notify_all();
      }
    } catch (const Error& error) {
      spdlog::warn("events wait for the database: {}", error.what());
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

bool EventHub::wait(const std::string& job_id, int64_t sequence, std::chrono::milliseconds timeout,
                    std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, stop, timeout, [&] {
    const auto found = newest_.find(job_id);
    return found != newest_.end() && found->second > sequence;
  });
}

}  // namespace prismvid::server
