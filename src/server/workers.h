#pragma once

#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "server/media_roots.h"
#include "server/shared_models.h"
#include "store/address.h"

namespace prismvid::server {

struct WorkerOptions {
  store::Address database;
  std::filesystem::path uploads;  // folder of uploads and fetched files
  std::filesystem::path models;   // empty = the standard folders
  int count = 1;                  // jobs at once
  int64_t lease_ms = 30'000;      // after which a worker that says nothing is taken for dead
  int most_attempts = 3;          // of a job whose workers die
  int64_t look_every_ms = 200;    // for new jobs, where the store does not tell of them
  bool allow_private_urls = false;
  int64_t most_fetched_bytes = int64_t{64} << 30;
};

/// Threads that take jobs from the store and run them. Stopping gives a job that is running back to
/// the queue; what it has finished stays stored.
class Workers {
 public:
  Workers(const WorkerOptions& options, const MediaRoots& media, SharedModels& deep_models);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace prismvid::server
