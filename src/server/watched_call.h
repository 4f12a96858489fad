#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "server/http.h"

namespace prismvid::server {

/// Work on a thread of its own, with a full stack, that is told to stop when nobody waits for its
/// result any more.
template <typename Result>
class WatchedCall {
 public:
  template <typename Work>
  explicit WatchedCall(Work work)
      : thread_([this, work = std::move(work)](std::stop_token stop) {
          std::optional<Result> result;
          std::exception_ptr problem;
          try {
            result.emplace(work(stop));
          } catch (...) {
            problem = std::current_exception();
          }
          const std::lock_guard lock(mutex_);
          result_ = std::move(result);
          problem_ = problem;
          done_ = true;
          ended_.notify_all();
        }) {}

  /// False when it is not done after `timeout`.
  bool wait(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, timeout, [&] { return done_; });
  }
  /// After wait() gave true. Throws what the work threw.
  Result take() {
    const std::lock_guard lock(mutex_);
    if (problem_) std::rethrow_exception(problem_);
    return std::move(*result_);
  }
  /// Throws what the work threw, where it has ended so.
  void check() {
    const std::lock_guard lock(mutex_);
    if (problem_) std::rethrow_exception(problem_);
  }
  void stop() { thread_.request_stop(); }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<Result> result_;
  std::exception_ptr problem_;
  bool done_ = false;
  std::jthread thread_;  // last: it uses the others
};

/// Runs `work(stop_token)` and waits for it, unless the client leaves or the service stops.
template <typename Work>
auto run_watched(const Request& request, Work work) {
  using Result = decltype(work(std::stop_token()));
  WatchedCall<Result> call(std::move(work));
  while (!call.wait(std::chrono::milliseconds(100)))
    if (request.is_gone() || request.stop.stop_requested()) call.stop();
  return call.take();
}

}  // namespace prismvid::server
