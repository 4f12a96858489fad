#include "inference/active_request.h"

#include <algorithm>

#include "core/error.h"
#include "inference/memory_use.h"

namespace prismvid::inference {
namespace {

GenerateOptions limited(GenerateOptions options, const qwen3_vl::Prompt& prompt,
                        const qwen3_vl::TextConfig& text) {
  const int room = text.max_positions - static_cast<int>(prompt.ids.size());
  options.max_tokens = std::min(options.max_tokens, std::max(1, room));
  return options;
}

std::vector<float> to_floats(const mx::array& values) {
  mx::array flat = mx::contiguous(mx::flatten(values));
  mx::eval(flat);
  return {flat.data<float>(), flat.data<float>() + flat.size()};
}

}  // namespace

ActiveRequest::ActiveRequest(const LoadedModel& model, RequestStart start)
    : model_(model),
      prompt_(std::move(start.planned.prompt)),
      options_(limited(std::move(start.options), prompt_, model.parts().config.text)),
      stop_(std::move(start.stop)),
      generation_(model.parts(), options_, std::move(start.on_token)),
      sequence_(model.model.begin(prompt_)) {
  if (start.conversation.media.empty()) return;
  check_has_vision(model, start.conversation);
  phase_ = Phase::kVision;
  media_.emplace(std::move(start.conversation.media), std::move(start.planned.media),
                 model.parts().settings(), std::move(start.on_media));
}

bool ActiveRequest::can_work() const {
  return phase_ == Phase::kPrefill || (phase_ == Phase::kVision && media_->ready());
}

void ActiveRequest::work() {
  phase_ == Phase::kVision ? encode_part() : run_chunk();
}

void ActiveRequest::encode_part() {
  if (const auto rows = media_->next()) {
    parts_.push_back(model_.model.encode(*rows));
    std::vector<mx::array> outputs = parts_.back().deepstack;
    outputs.push_back(parts_.back().embeddings);
    mx::eval(outputs);  // part by part: memory stays that of one
    return;
  }
  media_.reset();
  features_ = qwen3_vl::concatenated(parts_);
  parts_.clear();
  timings_.vision_ms = end_phase(Phase::kPrefill);
}

void ActiveRequest::run_chunk() {
  const int size = static_cast<int>(prompt_.ids.size());
  const int end = std::min(size, sequence_.size() + options_.prefill_chunk);
  const mx::array hidden = model_.model.prefill(sequence_, prompt_, features_, end);
  const int last = hidden.shape(1);
  mx::array tail = mx::slice(hidden, {0, last - 1, 0}, {1, last, hidden.shape(2)});
  mx::eval(tail);
  if (end < size) return;
  features_.reset();
  const mx::array logits = model_.model.logits(tail);
  timings_.prefill_ms = end_phase(Phase::kDecode);
  take(logits);
}

mx::array ActiveRequest::step() {
  return model_.model.logits(model_.model.step(sequence_, generation_.last_token()));
}

void ActiveRequest::take(const mx::array& logits) {
  std::vector<float> scores = to_floats(logits);
  const bool first = generation_.is_empty();
  const bool done = generation_.take(scores);
  if (first) timings_.first_token_ms = milliseconds_between(start_, Clock::now());
  if (done) timings_.decode_ms = end_phase(Phase::kDone);
}

void ActiveRequest::cancel() {
  if (phase_ == Phase::kDecode) timings_.decode_ms = end_phase(Phase::kDone);
  phase_ = Phase::kDone;
  generation_.cancel();
}

Answer ActiveRequest::finish() {
  Answer answer = generation_.finish();
  answer.prompt_token_ids = std::move(prompt_.ids);
  timings_.load_ms = model_.load_ms;
  answer.timings = timings_;
  answer.peak_memory_bytes = peak_memory();
  return answer;
}

double ActiveRequest::end_phase(Phase next) {
  const auto now = Clock::now();
  const double spent = milliseconds_between(phase_start_, now);
  phase_start_ = now;
  phase_ = next;
  return spent;
}

}  // namespace prismvid::inference
