#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "inference/planner_parts.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostGrammars = 16;  // whose masks are kept

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The Thinking checkpoints' template opens the answer with <think>; there is no other sign in the
// files.
bool opens_with_reasoning(const fs::path& folder) {
  for (const char* name : {"chat_template.jinja", "chat_template.json", "tokenizer_config.json"}) {
    const std::string text = file_text(folder / name);
    if (text.find("<|im_start|>assistant\\n<think>") != std::string::npos ||
        text.find("<|im_start|>assistant\\\\n<think>") != std::string::npos)
      return true;
  }
  return false;
}

qwen3_vl::Config read_config(const fs::path& folder) {
  check(fs::is_directory(folder), ErrorCode::kNotFound, "no model folder ", folder.string());
  const auto file = qwen3_vl::read_json(folder / "config.json");
  check(file.has_value(), ErrorCode::kModel, folder.string(), " holds no config.json");
  return qwen3_vl::parse_config(*file);
}

// Added tokens are no text: an answer in a grammar has none of them.
std::shared_ptr<const grammar::TokenTrie> text_tokens(const tokenizer::Tokenizer& tokenizer) {
  std::vector<std::string> tokens;
  for (int id = 0; id < tokenizer.size(); ++id) {
    tokens.push_back(tokenizer.token_bytes(id));
    const auto* added = tokenizer.added_token_at(tokens.back());
    if (added != nullptr && added->id == id) tokens.back().clear();
  }
  return std::make_shared<const grammar::TokenTrie>(tokens);
}

}  // namespace

PromptPlanner::Parts::Parts(const fs::path& folder)
    : config(read_config(folder)),
      processor(qwen3_vl::read_processor_config(folder)),
      generation(qwen3_vl::read_generation_config(folder)),
      tokenizer(tokenizer::Tokenizer::load(folder)),
      thinking(opens_with_reasoning(folder)),
      close_token(tokenizer.added_token_id("</think>").value_or(-1)) {
  if (generation.end_tokens.empty())
    for (const char* name : {"<|im_end|>", "<|endoftext|>"})
      if (const auto id = tokenizer.added_token_id(name)) generation.end_tokens.push_back(*id);
  check(!thinking || close_token >= 0, ErrorCode::kModel, folder.string(),
        ": a Thinking model without </think>");
}

std::shared_ptr<grammar::TokenMasks> PromptPlanner::Parts::masks_for(
    const std::shared_ptr<const grammar::Grammar>& grammar) const {
  const std::lock_guard lock(masks_mutex_);
  if (!trie_) trie_ = text_tokens(tokenizer);
  const auto known = std::find_if(masks_.begin(), masks_.end(), [&](const auto& masks) {
    return masks->grammar().key() == grammar->key();
  });
  if (known != masks_.end())
    masks_.splice(masks_.begin(), masks_, known);
  else
    masks_.push_front(std::make_shared<grammar::TokenMasks>(grammar, trie_));
  if (masks_.size() > kMostGrammars) masks_.pop_back();
  return masks_.front();
}

PlannedPrompt make_plan(const PromptPlanner::Parts& parts, const Conversation& conversation,
                        const GenerateOptions& options) {
  PlannedPrompt planned;
  std::vector<qwen3_vl::MediaLayout> layouts;
  for (const auto& medium : conversation.media) {
    planned.media.push_back(plan_media(medium, parts.settings()));
    layouts.push_back(planned.media.back().layout);
  }
  const tokenizer::ChatOptions chat{parts.thinking, true, options.number_media};
  planned.prompt =
      qwen3_vl::make_prompt(tokenizer::render_chat(conversation.messages, conversation.tools, chat),
                            layouts, parts.tokenizer, parts.config, options.dialect);
  return planned;
}

PromptPlanner::PromptPlanner(const fs::path& folder)
    : parts_(std::make_shared<const Parts>(folder)) {}
PromptPlanner::~PromptPlanner() = default;

const qwen3_vl::Config& PromptPlanner::config() const {
  return parts_->config;
}
bool PromptPlanner::is_thinking() const {
  return parts_->thinking;
}

PromptPlan PromptPlanner::plan(const Conversation& conversation,
                               const GenerateOptions& options) const {
  PlannedPrompt planned = make_plan(*parts_, conversation, options);
  PromptPlan plan{std::move(planned.prompt.ids), std::move(planned.media), 0};
  for (const auto& span : planned.prompt.spans) plan.visual_tokens += span.tokens();
  return plan;
}

int PromptPlanner::count_tokens(const std::string& text) const {
  return static_cast<int>(parts_->tokenizer.encode(text).size());
}

std::string PromptPlanner::token_bytes(int id) const {
  return parts_->tokenizer.token_bytes(id, false);
}

Size PromptPlanner::frame_size(Size source, int frames,
                               const qwen3_vl::VideoOptions& options) const {
  return qwen3_vl::planned_frame_size(source, frames, options, parts_->processor,
                                      parts_->config.vision);
}

}  // namespace prismvid::inference
