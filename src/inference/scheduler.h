#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "inference/request_queue.h"
#include "inference/running_request.h"

// Inside inference only.
namespace prismvid::inference {

/// The engine's metrics. Thread-safe.
class SharedMetrics {
 public:
  template <typename Change>
  void change(const Change& change) {
    const std::lock_guard lock(mutex_);
    change(metrics_);
  }
  EngineMetrics read() const {
    const std::lock_guard lock(mutex_);
    return metrics_;
  }

 private:
  mutable std::mutex mutex_;
  EngineMetrics metrics_;
};

/// Gives requests their places and turns. Lives on the thread that owns the device.
class Scheduler {
 public:
  /// All of these must outlive this.
  Scheduler(const LoadedModel& model, const EngineOptions& options, uint64_t memory_budget,
            Caches& caches, RequestQueue& queue, SharedMetrics& metrics,
            std::atomic<Emptying>& emptying)
      : model_(model),
        options_(options),
        room_(memory_budget - model.model.weight_bytes()),
        caches_(caches),
        queue_(queue),
        metrics_(metrics),
        emptying_(emptying) {}

  /// Works until the queue is closed, then cancels what is left.
  void serve();

 private:
  void empty_caches();
  void admit();
  uint64_t committed_bytes() const;
  void keep_to_memory();
  void answer_unstarted(WaitingRequest waiting);
  bool work_once();
  bool decode_once();
  void retire();

  const LoadedModel& model_;
  const EngineOptions options_;
  const uint64_t room_;  // bytes for requests and caches
  Caches& caches_;
  RequestQueue& queue_;
  SharedMetrics& metrics_;
  std::atomic<Emptying>& emptying_;  // set by others
  std::vector<std::unique_ptr<RunningRequest>> running_;
};

}  // namespace prismvid::inference
