#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "inference/vision_language_model.h"

namespace prismvid::server {

/// A call of a tool that the model wrote.
struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON
};

/// What the model wrote, apart.
struct ChatText {
  std::string content;
  std::vector<ToolCall> calls;
};

/// Splits an answer into words and calls: Qwen writes <tool_call>{...}</tool_call>; with
/// `calls_required` all of it is one call. What is no call stays words.
ChatText split_calls(const std::string& text, bool calls_required);

/// Gives out an answer's words as they come and holds back what may be the beginning of a call.
class CallFilter {
 public:
  /// What can be shown of the text with this piece.
  std::string push(const std::string& piece);
  /// What was held back and is no call.
  std::string rest() const { return in_call_ ? "" : held_; }

 private:
  std::string held_;
  bool in_call_ = false;
};

/// OpenAI's shapes of an answer.
struct ChatShape {
  std::string id;
  std::string model;
  int64_t created = 0;
  const inference::PromptPlanner& planner;

  nlohmann::ordered_json completion(const inference::Answer& answer, const ChatText& text) const;
  nlohmann::ordered_json chunk(const nlohmann::ordered_json& delta, const nlohmann::ordered_json& finish_reason) const;
  nlohmann::ordered_json usage(const inference::Answer& answer) const;
  nlohmann::ordered_json logprobs(const inference::Answer& answer) const;
  nlohmann::ordered_json calls(const std::vector<ToolCall>& calls, bool with_index) const;
};

/// stop, length or tool_calls.
std::string finish_reason(const inference::Answer& answer, const ChatText& text);

}  // namespace prismvid::server
