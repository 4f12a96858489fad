#pragma once

#include <optional>
#include <span>
#include <vector>

#include "inference/answer_builder.h"
#include "inference/drafter.h"
#include "inference/planner_parts.h"

// Inside inference only.
namespace prismvid::inference {

/// Tokens, text and end of one answer: all of its state but the model's. Not thread-safe.
class Generation {
 public:
  /// `parts` must outlive this. Throws Error(kInvalidArgument) for options that cannot be.
  Generation(const PromptPlanner::Parts& parts, const GenerateOptions& options,
             const qwen3_vl::Prompt& prompt, TokenCallback on_token);

  /// Takes the next token from the logits (vocabulary) behind the last one, which are changed; true
  /// when the answer is complete.
  bool take(std::span<float> logits);

  /// The same where a device picked the token, as takes_pick() allows, by the sampler.
  bool take_picked(int id);

  /// Whether the sampler decides the next token, where it is masked of what write_mask() leaves,
  /// and nothing else looks at the logits.
  bool takes_pick() const;
  const nn::Sampler& sampler() const { return sampler_; }
  bool is_masked() const { return matcher_.has_value(); }
  /// A bit for each token that may come next.
  void write_mask(std::span<uint64_t> mask);

  /// Tokens that may well follow the last one: where the model agrees they cost a step less each.
  /// take() decides as without them, so they change no answer.
  const std::vector<int>& draft(const StepCost& cost);
  /// For a step that takes none.
  void drop_draft() { draft_.clear(); }
  const std::vector<int>& last_draft() const { return draft_; }
  /// How many of the draft take() took, once no more of it will be.
  void judge_draft(int accepted);

  /// Computes what take() will need for the next token and the draft's, beside the device's work.
  void prepare();

  int last_token() const { return answer_.token_ids.back(); }
  bool is_empty() const { return answer_.token_ids.empty(); }

  void cancel() { answer_.finish_reason = FinishReason::kCancelled; }

  /// Gives out what was held back, and the answer. Nothing may be taken afterwards.
  Answer finish();

 private:
  int next_token(std::span<float> logits);
  bool accept(int id, bool constrained);
  bool is_forced() const;
  bool in_grammar() const { return matcher_.has_value() && !builder_.is_thinking(); }
  grammar::TokenMask allowed();
  bool is_allowed(int id);
  void keep_to_grammar(std::span<float> logits);
  bool is_end_token(int id) const;
  [[noreturn]] static void fail_outside_grammar();
  std::vector<int> forced_guess(int most);
  std::vector<int> look_up_guess(int most) const;
  bool end(FinishReason reason);

  const PromptPlanner::Parts& parts_;
  GenerateOptions options_;
  TokenCallback on_token_;
  nn::Sampler sampler_;
  AnswerBuilder builder_;
  std::optional<grammar::Matcher> matcher_;
  std::vector<int> forced_close_;  // "\n</think>\n\n"
  size_t forced_ = 0;
  LookUp look_up_;
  Acceptance from_grammar_{0.9}, from_look_up_{0.7};
  Acceptance* drafted_by_ = nullptr;
  std::vector<int> draft_;
  Answer answer_;
};

}  // namespace prismvid::inference
