#pragma once

#include "inference/planner_parts.h"
#include "models/qwen3_vl/model.h"

// Inside inference only.
namespace prismvid::inference {

/// A checkpoint with its weights. Immutable; MLX wants it used by the thread that loaded it.
struct LoadedModel {
  PromptPlanner planner;
  qwen3_vl::Model model;
  double load_ms = 0;
  std::string identity;           // of weights and numerics: equal for equal results
  uint64_t bytes_per_number = 2;  // of keys, values and features

  const PromptPlanner::Parts& parts() const { return planner.parts(); }
};

/// As VisionLanguageModel::load().
LoadedModel load_model(const std::string& model, const LoadOptions& options);

/// Answers a conversation on the thread that loaded the model, with nothing beside it and nothing
/// kept; as VisionLanguageModel::generate().
Answer answer_alone(const LoadedModel& model, const Conversation& conversation,
                    const GenerateOptions& options, const TokenCallback& on_token = {},
                    std::stop_token stop = {});

/// Sampling of generation_config.json.
GenerateOptions default_options(const PromptPlanner& planner);

/// Prompt tokens that are run together.
inline int chunk_tokens(const GenerateOptions& options) {
  return options.prefill_chunk ? options.prefill_chunk : default_prefill_chunk();
}

/// Throws Error(kModel) where the checkpoint cannot look at the conversation's media.
void check_has_vision(const LoadedModel& model, const Conversation& conversation);

}  // namespace prismvid::inference
