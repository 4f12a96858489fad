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

// On a CPU eight rows of a dense model take 1.8 to 2 times one's time (bench/engine). Estimates:
// experts, whose weights rows hardly share, and other devices, which one row leaves idle.
double row_cost(const LoadedModel& model) {
  if (mx::default_device() != mx::Device::cpu) return 0.05;
  return model.parts().config.text.experts ? 0.6 : 0.15;
}

}  // namespace

StepLogits::StepLogits(mx::array values, const std::vector<size_t>& rows_of)
    : values_(std::move(values)), starts_{0} {
  for (const size_t rows : rows_of)
    starts_.push_back(starts_.back() + rows * static_cast<size_t>(values_->shape(2)));
}

std::span<float> StepLogits::of(size_t request) {
  if (!values_) return rows_.at(request);
  return {values_->data<float>() + starts_[request], starts_[request + 1] - starts_[request]};
}

std::optional<int> StepLogits::picked(size_t request) const {
  if (picked_.empty()) return std::nullopt;
  return picked_.at(request);
}

ActiveRequest::ActiveRequest(const LoadedModel& model, RequestStart start, Caches* caches)
    : model_(model),
      caches_(caches),
      feature_owner_(std::move(start.feature_owner)),
      prefix_owner_(std::move(start.prefix_owner)),
      prompt_(std::move(start.planned.prompt)),
      options_(limited(std::move(start.options), prompt_, model.parts().config.text)),
      stop_(std::move(start.stop)),
      generation_(model.parts(), options_, prompt_, std::move(start.on_token)),
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
  if (const auto part = media_->next()) {
    for (auto& pair : encode(model_.model, *part, caches_, feature_owner_))
      parts_.push_back(std::move(pair));
    media_keys_.insert(media_keys_.end(), part->keys.begin(), part->keys.end());
    return;
  }
  media_.reset();
  features_ = qwen3_vl::concatenated(parts_);
  parts_.clear();
  timings_.vision_ms = end_phase(Phase::kPrefill);
}

// Takes over the keys and values of a known beginning, all but the last token.
void ActiveRequest::find_prefix() {
  const int bits = model_.model.key_value_format().bits;
  block_keys_.emplace(caches_->model + " " + std::to_string(bits), prompt_.spans, media_keys_);
  block_keys_->append(prompt_.ids);
  const int most = static_cast<int>(prompt_.ids.size()) - 1;
  cached_tokens_ =
      restore_prefix(caches_->prefixes, block_keys_->keys(), prefix_owner_, most, sequence_);
}

void ActiveRequest::keep_prefix() {
  if (block_keys_) store_prefix(caches_->prefixes, block_keys_->keys(), prefix_owner_, sequence_);
}

void ActiveRequest::run_chunk() {
  if (caches_ && !block_keys_) find_prefix();
  const int size = static_cast<int>(prompt_.ids.size());
  const int chunk = chunk_tokens(options_);
  const int end = size - sequence_.size() > chunk ? sequence_.size() + chunk : size;
  const mx::array hidden = model_.model.prefill(sequence_, prompt_, features_, end);
  const int last = hidden.shape(1);
  mx::array tail = mx::slice(hidden, {0, last - 1, 0}, {1, last, hidden.shape(2)});
  mx::eval(tail);
  if (end < size) return;
  features_.reset();
  mx::array logits = mx::contiguous(model_.model.logits(tail));
  mx::async_eval(logits);
  generation_.prepare();
  mx::eval(logits);
  timings_.prefill_ms = end_phase(Phase::kDecode);
  take_one(StepLogits(logits, {1}).of(0));
  keep_prefix();  // behind the first token, which somebody waits for
}

// A device may have gone on with these keys and values.
ActiveRequest::~ActiveRequest() {
  if (auto* decoder = model_.model.device_decoder()) decoder->rest();
}

StepLogits ActiveRequest::step(const LoadedModel& model,
                               const std::vector<ActiveRequest*>& requests) {
  auto* decoder = model.model.device_decoder();
  if (decoder && static_cast<int>(requests.size()) <= decoder->most_sequences())
    return step_on(*decoder, requests);
  std::vector<qwen3_vl::Sequence*> sequences;
  std::vector<std::vector<int>> ids;
  std::vector<size_t> rows;
  const StepCost cost{row_cost(model), static_cast<int>(requests.size())};
  for (ActiveRequest* request : requests) {
    sequences.push_back(&request->sequence_);
    ids.push_back({request->generation_.last_token()});
    const std::vector<int>& draft = request->generation_.draft(cost);
    ids.back().insert(ids.back().end(), draft.begin(), draft.end());
    rows.push_back(ids.back().size());
  }
  mx::array logits = mx::contiguous(model.model.logits(model.model.step(sequences, ids)));
  mx::async_eval(logits);
  for (ActiveRequest* request : requests) request->generation_.prepare();  // beside the device
  mx::eval(logits);
  return {logits, rows};
}

// A step of the device is so short that guesses, which it takes none of, would not pay.
StepLogits ActiveRequest::step_on(qwen3_vl::DeviceDecoder& decoder,
                                  const std::vector<ActiveRequest*>& requests) {
  std::vector<qwen3_vl::Sequence*> sequences;
  std::vector<int> ids;
  std::vector<qwen3_vl::TokenPick> picks;
  bool can_pick = true, greedy = true;
  for (ActiveRequest* request : requests) {
    sequences.push_back(&request->sequence_);
    ids.push_back(request->generation_.last_token());
    picks.push_back(request->token_pick());
    request->generation_.drop_draft();
    can_pick = can_pick && request->takes_pick_of(decoder);
    greedy = greedy && !picks.back().write_mask && picks.back().sampler->is_plain_greedy();
  }
  if (can_pick && greedy) return StepLogits(decoder.likeliest(sequences, ids));
  if (can_pick) return StepLogits(decoder.picked(sequences, ids, picks));
  for (ActiveRequest* request : requests) request->generation_.prepare();
  return StepLogits(decoder.logits(sequences, ids));
}

qwen3_vl::TokenPick ActiveRequest::token_pick() {
  qwen3_vl::TokenPick pick{&generation_.sampler(), {}};
  if (generation_.is_masked())
    pick.write_mask = [this](std::span<uint64_t> mask) { generation_.write_mask(mask); };
  return pick;
}

bool ActiveRequest::takes_pick_of(const qwen3_vl::DeviceDecoder& decoder) const {
  return generation_.takes_pick() && decoder.can_pick(generation_.sampler().options());
}

void ActiveRequest::take(StepLogits& step, size_t index) {
  if (const auto id = step.picked(index)) {
    if (generation_.take_picked(*id)) timings_.decode_ms = end_phase(Phase::kDone);
    return;  // the first token, which is timed, comes from the prompt's logits
  }
  const std::span<float> rows = step.of(index);
  const std::vector<int>& draft = generation_.last_draft();
  const size_t width = rows.size() / (draft.size() + 1);
  size_t taken = 0;
  bool goes_on = true;
  while (goes_on) {
    goes_on = !take_one(rows.subspan(taken * width, width)) && taken < draft.size() &&
              generation_.last_token() == draft[taken];
    ++taken;
  }
  // Keys and values behind the last right guess are of tokens that are not in the answer.
  const int wrong = static_cast<int>(draft.size() + 1 - taken);
  for (nn::KeyValueCache& cache : sequence_.caches) cache.truncate(cache.size() - wrong);
  generation_.judge_draft(static_cast<int>(taken) - 1);
}

bool ActiveRequest::take_one(std::span<float> logits) {
  const bool first = generation_.is_empty();
  const bool done = generation_.take(logits);
  if (first) timings_.first_token_ms = milliseconds_between(start_, Clock::now());
  if (done) timings_.decode_ms = end_phase(Phase::kDone);
  return done;
}

void ActiveRequest::cancel() {
  if (phase_ == Phase::kDecode) timings_.decode_ms = end_phase(Phase::kDone);
  phase_ = Phase::kDone;
  generation_.cancel();
}

Answer ActiveRequest::finish() {
  Answer answer = generation_.finish();
  if (block_keys_) {
    block_keys_->append(answer.token_ids);
    keep_prefix();  // a next turn begins with this one
  }
  answer.cached_prompt_tokens = cached_tokens_;
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
