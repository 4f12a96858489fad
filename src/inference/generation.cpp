#include "inference/generation.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "inference/loop_guard.h"

namespace prismvid::inference {
namespace {

constexpr int kLoopCheckEvery = 16;         // tokens
constexpr size_t kForcedBytesOfToken = 16;  // looked at for each token that may be drafted

// Of the prompt, for prompt look-up.
std::vector<int> text_of(const qwen3_vl::Prompt& prompt) {
  std::vector<int> ids = prompt.ids;
  for (const qwen3_vl::VisualSpan& span : prompt.spans)
    std::fill(ids.begin() + span.start, ids.begin() + span.end(), LookUp::kNoText);
  return ids;
}

}  // namespace

Generation::Generation(const PromptPlanner::Parts& parts, const GenerateOptions& options,
                       const qwen3_vl::Prompt& prompt, TokenCallback on_token)
    : parts_(parts),
      options_(options),
      on_token_(std::move(on_token)),
      sampler_(options.sampling),
      builder_(parts.tokenizer, parts.thinking, parts.close_token, options.stop_strings),
      forced_close_(parts.tokenizer.encode("\n")),
      look_up_(text_of(prompt)) {
  check(options.max_tokens > 0, ErrorCode::kInvalidArgument, "max-tokens must be 1 or more");
  check(options.prefill_chunk >= 0, ErrorCode::kInvalidArgument,
        "the prefill chunk must be 1 or more tokens, or 0 for the device's own");
  check(options.draft_tokens >= 0, ErrorCode::kInvalidArgument,
        "draft-tokens must be 0 (off) or more");
  if (options.grammar) matcher_.emplace(parts.masks_for(options.grammar));
  forced_close_.push_back(parts.close_token);
  for (const int id : parts.tokenizer.encode("\n\n")) forced_close_.push_back(id);
}

bool Generation::take(std::span<float> logits) {
  const std::vector<float> raw = options_.top_log_probabilities >= 0
                                     ? std::vector<float>(logits.begin(), logits.end())
                                     : std::vector<float>();
  const bool constrained = in_grammar() && !is_forced();
  if (constrained) keep_to_grammar(logits);
  const int id = next_token(logits);
  if (!raw.empty())
    answer_.log_probabilities.push_back(
        nn::log_probabilities(raw, id, options_.top_log_probabilities));
  return accept(id, constrained);
}

bool Generation::take_picked(int id) {
  sampler_.take(id);
  const bool constrained = in_grammar();
  if (constrained && !is_allowed(id)) fail_outside_grammar();  // the device had no token to pick
  return accept(id, constrained);
}

bool Generation::takes_pick() const {
  return options_.top_log_probabilities < 0 && !is_forced();
}

void Generation::write_mask(std::span<uint64_t> mask) {
  if (!in_grammar()) {
    std::ranges::fill(mask, ~uint64_t{0});
    return;
  }
  const grammar::TokenMask tokens = allowed();
  const size_t known = std::min(tokens.size(), mask.size());
  std::copy_n(tokens.begin(), known, mask.begin());
  std::ranges::fill(mask.subspan(known), 0);
}

bool Generation::accept(int id, bool constrained) {
  answer_.token_ids.push_back(id);
  look_up_.push(id);
  if (is_end_token(id) && (constrained || !options_.ignore_end)) return end(FinishReason::kStop);
  if (constrained)
    check(matcher_->take(id), ErrorCode::kInternal, "a token outside the grammar was picked");
  const TextDelta delta = builder_.push(id);
  if (on_token_) on_token_({id, delta.text, delta.reasoning});
  if (builder_.is_stopped() || (constrained && matcher_->must_end()))
    return end(FinishReason::kStop);
  const int count = static_cast<int>(answer_.token_ids.size());
  if (count >= options_.max_tokens) return end(FinishReason::kLength);
  if (options_.loop_guard && count % kLoopCheckEvery == 0 && ends_in_loop(answer_.token_ids))
    return end(FinishReason::kLoop);
  return false;
}

Answer Generation::finish() {
  const TextDelta rest = builder_.finish();
  if (on_token_ && !(rest.text.empty() && rest.reasoning.empty()))
    on_token_({-1, rest.text, rest.reasoning});
  if (matcher_)
    answer_.valid = answer_.finish_reason == FinishReason::kStop && !builder_.is_stopped() &&
                    matcher_->can_end();
  answer_.text = builder_.text();
  answer_.reasoning = builder_.reasoning();
  return std::move(answer_);
}

const std::vector<int>& Generation::draft(const StepCost& cost) {
  draft_.clear();
  const int left = options_.max_tokens - static_cast<int>(answer_.token_ids.size());
  const int most = std::min(options_.draft_tokens, left - 1);
  if (most <= 0 || is_forced()) return draft_;
  drafted_by_ = &from_grammar_;
  draft_ = forced_guess(most);
  if (draft_.empty()) {
    drafted_by_ = &from_look_up_;
    draft_ = look_up_guess(most);
  }
  draft_.resize(static_cast<size_t>(drafted_by_->worth(static_cast<int>(draft_.size()), cost)));
  return draft_;
}

// Tokens of the text that the grammar leaves no choice about.
std::vector<int> Generation::forced_guess(int most) {
  if (!in_grammar()) return {};
  std::vector<int> ids = parts_.tokenizer.encode(
      matcher_->forced_text(kForcedBytesOfToken * static_cast<size_t>(most)));
  if (ids.size() > static_cast<size_t>(most)) ids.resize(static_cast<size_t>(most));
  return ids;
}

std::vector<int> Generation::look_up_guess(int most) const {
  std::vector<int> ids = look_up_.guess(most);
  if (!in_grammar()) return ids;
  grammar::Matcher ahead = *matcher_;
  ids.erase(std::find_if_not(ids.begin(), ids.end(), [&](int id) { return ahead.take(id); }),
            ids.end());
  return ids;
}

void Generation::judge_draft(int accepted) {
  if (draft_.empty()) return;
  const int drafted = static_cast<int>(draft_.size());
  drafted_by_->note(accepted, accepted == drafted);
  answer_.drafted_tokens += drafted;
  answer_.accepted_tokens += accepted;
}

void Generation::prepare() {
  if (!in_grammar() || is_forced()) return;
  matcher_->mask();
  grammar::Matcher ahead = *matcher_;
  for (const int id : draft_) {
    if (!ahead.take(id)) return;
    ahead.mask();
  }
}

bool Generation::is_forced() const {
  const bool spent = options_.thinking_budget && builder_.is_thinking() &&
                     static_cast<int>(answer_.token_ids.size()) >= *options_.thinking_budget;
  return spent || (forced_ > 0 && forced_ < forced_close_.size());
}

// The tokens that go on in the grammar, and the ends where it may end.
grammar::TokenMask Generation::allowed() {
  grammar::TokenMask mask = matcher_->mask();
  if (!matcher_->can_end()) return mask;
  for (const int id : parts_.generation.end_tokens) {
    const auto word = static_cast<size_t>(id) / 64;
    if (word >= mask.size()) mask.resize(word + 1);
    mask[word] |= uint64_t{1} << (id % 64);
  }
  return mask;
}

bool Generation::is_allowed(int id) {
  return (matcher_->can_end() && is_end_token(id)) || grammar::contains(matcher_->mask(), id);
}

void Generation::keep_to_grammar(std::span<float> logits) {
  grammar::apply_mask(allowed(), logits);
  if (std::ranges::none_of(logits, [](float logit) { return std::isfinite(logit); }))
    fail_outside_grammar();
}

void Generation::fail_outside_grammar() {
  fail(ErrorCode::kModel, "the vocabulary of this model has no token that goes on in the grammar");
}

int Generation::next_token(std::span<float> logits) {
  if (is_forced()) {
    const int id = forced_close_[forced_++];
    sampler_.remember(id);
    return id;
  }
  return sampler_.pick(logits);
}

bool Generation::is_end_token(int id) const {
  const auto& ends = parts_.generation.end_tokens;
  return std::find(ends.begin(), ends.end(), id) != ends.end();
}

bool Generation::end(FinishReason reason) {
  answer_.finish_reason = reason;
  return true;
}

}  // namespace prismvid::inference
