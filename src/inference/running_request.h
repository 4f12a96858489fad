#pragma once

#include <exception>
#include <future>
#include <optional>

#include "inference/active_request.h"
#include "inference/request_queue.h"

// Inside inference only.
namespace prismvid::inference {

/// A request that has a place in the engine: whatever happens to it ends in its promise. Used by
/// the thread that owns the device.
class RunningRequest {
 public:
  /// Never throws: a request that cannot start has failed.
  RunningRequest(const LoadedModel& model, WaitingRequest waiting, Caches& caches);

  ActiveRequest& request() { return *request_; }
  Priority priority() const { return priority_; }
  uint64_t bytes() const { return bytes_; }
  ActiveRequest::Phase phase() const {
    return failure_ ? ActiveRequest::Phase::kDone : request_->phase();
  }

  /// Does `action`; what it throws is this request's failure.
  template <typename Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (...) {
      fail(std::current_exception());
    }
  }
  void fail(std::exception_ptr error);
  /// Ends the request if its ticket was cancelled.
  void look_for_cancel();
  void request_stop() { stop_.request_stop(); }

  /// The answer of a request that is done; nullopt for a failure.
  std::optional<Answer> finish();
  /// Fulfils the promise with what finish() gave.
  void settle(std::optional<Answer> answer);

 private:
  Priority priority_;
  uint64_t bytes_;
  std::stop_source stop_;
  std::promise<Answer> promise_;
  double queue_ms_;
  std::optional<ActiveRequest> request_;
  std::exception_ptr failure_;
};

}  // namespace prismvid::inference
