#include "server/workers.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>

#include "core/error.h"
#include "server/job_runner.h"
#include "store/job_store.h"
#include "store/sqlite_store.h"

namespace prismvid::server {
namespace {

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

void work(const WorkerOptions& options, const MediaRoots& media, deep::ModelProvider& deep_models, int number,
          const std::stop_token& stop) {
  const std::string name = worker_name(number);
  std::unique_ptr<store::JobStore> jobs;
  while (!stop.stop_requested()) {
    try {
      if (!jobs) jobs = store::open_sqlite_job_store(options.database);
      const auto claim = jobs->claim(name, options.lease_ms, options.most_attempts);
      if (claim) {
        JobRunner(options, media, deep_models, *jobs, *claim).run(stop);
        continue;
      }
    } catch (const Error& error) {
      spdlog::error("worker: {}", error.what());
      jobs.reset();
    }
    sleep_for(options.look_every_ms, stop);
  }
}

}  // namespace

Workers::Workers(const WorkerOptions& options, const MediaRoots& media, deep::ModelProvider& deep_models) {
  store::open_sqlite_store(options.database);  // makes the database where there is none
  for (int i = 0; i < options.count; ++i)
    threads_.emplace_back([=, &media, &deep_models](std::stop_token stop) { work(options, media, deep_models, i, stop); });
}

Workers::~Workers() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

}  // namespace prismvid::server
