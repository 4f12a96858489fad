#include "inference/running_request.h"

#include "core/error.h"
#include "inference/memory_use.h"

namespace prismvid::inference {
namespace {

// MLX and the allocator throw their own.
std::exception_ptr as_error(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {
    return error;
  } catch (const std::bad_alloc&) {
    return std::make_exception_ptr(
        Error(ErrorCode::kUnavailable, "out of memory: ask for fewer tokens or a smaller video"));
  } catch (const std::exception& other) {
    return std::make_exception_ptr(
        Error(ErrorCode::kModel, std::string("the model failed: ") + other.what()));
  }
}

}  // namespace

RunningRequest::RunningRequest(const LoadedModel& model, WaitingRequest waiting, Caches& caches)
    : priority_(waiting.priority),
      bytes_(waiting.bytes),
      stop_(std::move(waiting.stop)),
      promise_(std::move(waiting.promise)),
      queue_ms_(milliseconds_between(waiting.submitted, std::chrono::steady_clock::now())) {
  guarded([&] { request_.emplace(model, std::move(waiting.start), &caches); });
}

void RunningRequest::fail(std::exception_ptr error) {
  failure_ = as_error(std::move(error));
}

void RunningRequest::look_for_cancel() {
  if (phase() != ActiveRequest::Phase::kDone && stop_.stop_requested()) request_->cancel();
}

std::optional<Answer> RunningRequest::finish() {
  std::optional<Answer> answer;
  if (!failure_) guarded([&] { answer = request_->finish(); });
  if (answer) answer->timings.queue_ms = queue_ms_;
  return answer;
}

void RunningRequest::settle(std::optional<Answer> answer) {
  if (answer)
    promise_.set_value(std::move(*answer));
  else
    promise_.set_exception(failure_);
}

}  // namespace prismvid::inference
