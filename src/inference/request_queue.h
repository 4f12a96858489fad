#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include "inference/active_request.h"
#include "inference/engine.h"

// Inside inference only.
namespace prismvid::inference {

/// A request between submit() and its turn.
struct WaitingRequest {
  RequestStart start;
  Priority priority = Priority::kInteractive;
  uint64_t bytes = 0;     // estimated
  std::stop_source stop;  // of start.stop
  std::promise<Answer> promise;
  std::chrono::steady_clock::time_point submitted = std::chrono::steady_clock::now();
};

/// Requests by priority, then by age, and the bell that wakes the engine. Thread-safe.
class RequestQueue {
 public:
  explicit RequestQueue(size_t limit) : limit_(limit) {}

  /// False: full or closed.
  bool push(WaitingRequest request);
  /// The next request that `fits`; requests of one priority never overtake each other.
  std::optional<WaitingRequest> pop(const std::function<bool(const WaitingRequest&)>& fits);
  /// All that were cancelled while they waited.
  std::vector<WaitingRequest> take_cancelled();

  /// Cancels all that wait; nothing is taken in any more.
  void close();
  bool is_closed() const;
  size_t size() const;

  /// Something changed that the engine may wait for.
  void ring();
  /// Waits until somebody has rung since the last call.
  void wait();

 private:
  std::deque<WaitingRequest>& list_of(Priority priority) {
    return priority == Priority::kInteractive ? interactive_ : batch_;
  }

  const size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable bell_;
  std::deque<WaitingRequest> interactive_, batch_;
  bool rung_ = false;
  bool closed_ = false;
};

}  // namespace prismvid::inference
