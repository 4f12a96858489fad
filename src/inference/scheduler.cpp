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
  metrics.cached_prompt_tokens += static_cast<uint64_t>(answer->cached_prompt_tokens);
  metrics.tokens += answer->token_ids.size();
  metrics.drafted_tokens += static_cast<uint64_t>(answer->drafted_tokens);
  metrics.accepted_tokens += static_cast<uint64_t>(answer->accepted_tokens);
  if (!answer->token_ids.empty())
    metrics.first_token_seconds.add(
        (answer->timings.queue_ms + answer->timings.first_token_ms) / 1000);
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
    empty_caches();
    admit();
    for (const auto& one : running_) one->look_for_cancel();
    const bool worked = work_once();
    const bool decoded = decode_once();
    retire();
    if (running_.empty() && queue_.is_closed() && queue_.size() == 0) return;
    if (!worked && !decoded) queue_.wait();
  }
}

void Scheduler::empty_caches() {
  const Emptying how = emptying_.exchange(Emptying::kNone);
  if (how == Emptying::kToDisk) caches_.shrink(0);
  if (how == Emptying::kForget) caches_.clear();
}

// Fills the free places. A quarter of them is kept for interactive requests.
void Scheduler::admit() {
  for (WaitingRequest& cancelled : queue_.take_cancelled()) answer_unstarted(std::move(cancelled));
  const auto fits = [&](const WaitingRequest& waiting) {
    const int kept = waiting.priority == Priority::kBatch ? options_.batch_limit / 4 : 0;
    return static_cast<int>(running_.size()) < options_.batch_limit - kept &&
           committed_bytes() + waiting.bytes <= room_;
  };
  while (auto waiting = queue_.pop(fits)) {
    metrics_.change(
        [&](EngineMetrics& m) { m.prompt_tokens += waiting->start.planned.prompt.ids.size(); });
    running_.push_back(std::make_unique<RunningRequest>(model_, std::move(*waiting), caches_));
  }
  keep_to_memory();
}

uint64_t Scheduler::committed_bytes() const {
  uint64_t bytes = 0;
  for (const auto& one : running_) bytes += one->bytes();
  return bytes;
}

// Requests go before caches.
void Scheduler::keep_to_memory() {
  const uint64_t committed = committed_bytes();
  caches_.shrink(room_ - std::min(room_, committed));
  metrics_.change([&](EngineMetrics& m) {
    m.active = static_cast<int>(running_.size());
    m.request_bytes = committed;
    m.cache_bytes = caches_.bytes();
    m.feature_hit_bytes = caches_.features.hit_bytes();
    m.prefix_hit_bytes = caches_.prefixes.hit_bytes();
  });
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

// One token or more for each that decodes, all through the layers together.
bool Scheduler::decode_once() {
  std::vector<RunningRequest*> decoding;
  std::vector<ActiveRequest*> requests;
  for (const auto& one : running_) {
    if (one->phase() != Phase::kDecode) continue;
    decoding.push_back(one.get());
    requests.push_back(&one->request());
  }
  if (decoding.empty()) return false;
  try {
    StepLogits logits = ActiveRequest::step(model_, requests);
    for (size_t i = 0; i < decoding.size(); ++i)
      decoding[i]->guarded([&] { decoding[i]->request().take(logits, i); });
  } catch (...) {
    for (RunningRequest* one : decoding) one->fail(std::current_exception());
  }
  metrics_.change([&](EngineMetrics& m) {
    m.step_requests.add(static_cast<double>(decoding.size()));
    m.largest_batch = std::max(m.largest_batch, static_cast<int>(decoding.size()));
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
    keep_to_memory();
    metrics_.change([&](EngineMetrics& m) { add_answer(m, answer); });
    one->settle(std::move(answer));
  }
}

}  // namespace prismvid::inference
