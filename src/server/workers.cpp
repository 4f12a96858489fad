#include "server/workers.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <set>

#include "core/error.h"
#include "server/job_runner.h"
#include "store/job_store.h"
#include "store/open_store.h"

namespace prismvid::server {
namespace {

constexpr int kMostInterruptions = 3;
constexpr int64_t kLongestWaitMs = 5000;
constexpr int64_t kStopWaitMs = 200;
constexpr int64_t kForgetEveryMs = 600'000;

/// Tells workers of all processes and machines apart.
std::string worker_name(int number) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  std::random_device random;
  return std::string(host) + "/" + std::to_string(::getpid()) + "/" + std::to_string(number) + "/" + std::to_string(random());
}

void sleep_for(int64_t ms, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
}

/// Comes back as soon as the store tells of a job, and in any case after a while: of a lease that
/// runs out nobody tells.
void wait_for_job(const WorkerOptions& options, store::JobStore& jobs, const std::stop_token& stop) {
  if (!jobs.tells_of_changes()) return sleep_for(options.look_every_ms, stop);
  const int64_t longest_ms = std::clamp(options.lease_ms / 2, options.look_every_ms, kLongestWaitMs);
  for (int64_t waited_ms = 0; waited_ms < longest_ms && !stop.stop_requested(); waited_ms += kStopWaitMs)
    if (jobs.wait_for_change(kStopWaitMs)) return;
}

void work(const WorkerOptions& options, const MediaRoots& media, SharedModels& deep_models, int number,
          const std::stop_token& stop) {
  const std::string name = worker_name(number);
  std::unique_ptr<store::JobStore> jobs;
  std::optional<store::Lease> interrupted;
  int interruptions = 0;
  while (!stop.stop_requested()) {
    try {
      if (!jobs) jobs = store::open_job_store(options.database);
      if (interrupted) {
        // Of a database that went away the job has no fault. One that cannot keep its results is
        // another matter: then the lease runs out, which counts.
        if (interruptions < kMostInterruptions) jobs->give_back(*interrupted);
        ++interruptions;
        interrupted.reset();
      }
      const auto claim = jobs->claim(name, options.lease_ms, options.most_attempts);
      if (claim) {
        interrupted = claim->lease;
        JobRunner(options, media, deep_models, *jobs, *claim).run(stop);
        interrupted.reset();
        interruptions = 0;
      } else {
        wait_for_job(options, *jobs, stop);
      }
      continue;
    } catch (const Error& error) {
      spdlog::error("worker: {}", error.what());
      jobs.reset();
    }
    sleep_for(options.look_every_ms, stop);
  }
}

/// Videos may be deleted on another machine, which does not reach this one's disk.
void forget_deleted_videos(const WorkerOptions& options, SharedModels& deep_models, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      std::set<std::string> contents;
      for (const store::VideoRecord& video : store::open_store(options.database)->videos()) contents.insert(video.sha256);
      deep_models.forget_frames_of_others(contents);
    } catch (const Error& error) {
      spdlog::warn("worker: kept frames were not looked through: {}", error.what());
    }
    sleep_for(kForgetEveryMs, stop);
  }
}

}  // namespace

Workers::Workers(const WorkerOptions& options, const MediaRoots& media, SharedModels& deep_models) {
  store::open_store(options.database);  // makes the database where there is none
  for (int i = 0; i < options.count; ++i)
    threads_.emplace_back([=, &media, &deep_models](std::stop_token stop) { work(options, media, deep_models, i, stop); });
  threads_.emplace_back([=, &deep_models](std::stop_token stop) { forget_deleted_videos(options, deep_models, stop); });
}

Workers::~Workers() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

}  // namespace prismvid::server
