#include "inference/scheduler.h"

#include <algorithm>
#include <iterator>

#include "inference/memory_use.h"

namespace prismvid::inference {

namespace {

using Phase = ActiveRequest::Phase;

void add_answer(EngineMetrics& metrics, const std::optional<Answer>& answer) {
  if (!answer) {
    ++metrics.failed;
    return;
  }
  ++(answer->finish_reason == FinishReason::kCancelled ? metrics.cancelled : metrics.answered);
  metrics.queue_ms += answer->timings.queue_ms;
  metrics.vision_ms += answer->timings.vision_ms;
  metrics.prefill_ms += answer->timings.prefill_ms;
  metrics.decode_ms += answer->timings.decode_ms;
}

}  // namespace

void Scheduler::serve() {
  for (;;) {
    if (queue_.is_closed())
      for (const auto& one : running_) one->request_stop();
    admit();
    for (const auto& one : running_) one->look_for_cancel();
    const bool worked = work_once();
    const bool decoded = decode_once();
    retire();
    if (running_.empty() && queue_.is_closed() && queue_.size() == 0) return;
    if (!worked && !decoded) queue_.wait();
  }
}

// Fills the free places. A quarter of them is kept for interactive requests.
void Scheduler::admit() {
  for (WaitingRequest& cancelled : queue_.take_cancelled()) answer_unstarted(std::move(cancelled));
  const auto fits = [&](const WaitingRequest& waiting) {
    const int kept = waiting.priority == Priority::kBatch ? options_.batch_limit / 4 : 0;
    return static_cast<int>(running_.size()) < options_.batch_limit - kept;
  };
  while (auto waiting = queue_.pop(fits)) {
    metrics_.change(
        [&](EngineMetrics& m) { m.prompt_tokens += waiting->start.planned.prompt.ids.size(); });
    running_.push_back(std::make_unique<RunningRequest>(model_, std::move(*waiting)));
  }
  metrics_.change([&](EngineMetrics& m) { m.active = static_cast<int>(running_.size()); });
}

void Scheduler::answer_unstarted(WaitingRequest waiting) {
  Answer answer;
  answer.prompt_token_ids = std::move(waiting.start.planned.prompt.ids);
  answer.finish_reason = FinishReason::kCancelled;
  answer.timings.queue_ms =
      milliseconds_between(waiting.submitted, std::chrono::steady_clock::now());
  metrics_.change([&](EngineMetrics& m) { add_answer(m, answer); });
  waiting.promise.set_value(std::move(answer));
}

// One part of a medium or one chunk of a prompt, interactive requests first.
bool Scheduler::work_once() {
  for (const Priority priority : {Priority::kInteractive, Priority::kBatch})
    for (const auto& one : running_) {
      if (one->priority() != priority || one->phase() == Phase::kDone || !one->request().can_work())
        continue;
      one->guarded([&] { one->request().work(); });
      return true;
    }
  return false;
}

// One token for each that decodes.
bool Scheduler::decode_once() {
  uint64_t tokens = 0;
  for (const auto& one : running_) {
    if (one->phase() != Phase::kDecode) continue;
    one->guarded([&] { one->request().take(one->request().step()); });
    ++tokens;
  }
  if (tokens == 0) return false;
  metrics_.change([&](EngineMetrics& m) {
    m.tokens += tokens;
    ++m.decode_steps;
  });
  return true;
}

// Hands out the answers of all that are done, cancelled or failed.
void Scheduler::retire() {
  const auto first = std::stable_partition(running_.begin(), running_.end(), [](const auto& one) {
    return one->phase() != Phase::kDone;
  });
  std::vector<std::unique_ptr<RunningRequest>> done(std::make_move_iterator(first),
                                                    std::make_move_iterator(running_.end()));
  running_.erase(first, running_.end());
  for (const auto& one : done) {
    std::optional<Answer> answer = one->finish();
    metrics_.change([&](EngineMetrics& m) {
      m.active = static_cast<int>(running_.size());
      add_answer(m, answer);
    });
    one->settle(std::move(answer));
  }
}

}  // namespace prismvid::inference
