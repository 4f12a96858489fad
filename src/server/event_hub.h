#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "store/address.h"
#include "store/job_store.h"

namespace prismvid::server {

/// Wakes those who wait for a job's events, whichever process wrote them: one thread looks at the
/// database, however many wait. Thread-safe.
class EventHub {
 public:
  explicit EventHub(const store::Address& database);

  /// Waits until the job has an event behind `sequence`; false after `timeout`, or when `stop` is requested.
  bool wait(const std::string& job_id, int64_t sequence, std::chrono::milliseconds timeout,
            std::stop_token stop);

 private:
  void watch(std::stop_token stop);

  std::unique_ptr<store::JobStore> store_;  // of the watching thread
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, int64_t> newest_;
  std::jthread watcher_;  // last: it uses the others
};

}  // namespace prismvid::server
