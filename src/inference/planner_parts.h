#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "grammar/token_masks.h"
#include "inference/vision_language_model.h"
#include "models/qwen3_vl/config.h"
#include "models/qwen3_vl/prompt.h"
#include "tokenizer/tokenizer.h"

// Inside inference only.
namespace prismvid::inference {

/// What the files of a checkpoint say, without its weights.
struct PromptPlanner::Parts {
  explicit Parts(const std::filesystem::path& folder);

  MediaSettings settings() const { return {config.vision, processor}; }
  /// The masks that all answers of a grammar share. Thread-safe; its result is not.
  std::shared_ptr<grammar::TokenMasks> masks_for(
      const std::shared_ptr<const grammar::Grammar>& grammar) const;

  qwen3_vl::Config config;
  qwen3_vl::ProcessorConfig processor;
  qwen3_vl::GenerationConfig generation;
  tokenizer::Tokenizer tokenizer;
  bool thinking;
  int close_token;  // </think>

 private:
  mutable std::mutex masks_mutex_;
  mutable std::shared_ptr<const grammar::TokenTrie> trie_;         // made when it is needed first
  mutable std::list<std::shared_ptr<grammar::TokenMasks>> masks_;  // newest first
};

/// A conversation as token ids with the places of its media.
struct PlannedPrompt {
  qwen3_vl::Prompt prompt;
  std::vector<MediaPlan> media;  // in prompt order
};

/// Reads as much of the media as it takes to count their tokens.
PlannedPrompt make_plan(const PromptPlanner::Parts& parts, const Conversation& conversation,
                        const GenerateOptions& options);

}  // namespace prismvid::inference
