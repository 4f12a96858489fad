#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace prismvid::tokenizer {

enum class Role { kSystem, kUser, kAssistant, kTool };

/// Reads "system", "user", "assistant", "tool" ("developer" counts as system); throws
/// Error(kInvalidArgument).
Role parse_role(const std::string& name);

/// One part of a message. Pictures and videos are only places here: they are filled in prompt
/// order.
struct ContentPart {
  enum class Kind { kText, kImage, kVideo };
  Kind kind = Kind::kText;
  std::string text;
};

struct ToolCall {
  std::string name;
  nlohmann::ordered_json arguments;  // a string is taken as it is
};

struct ChatMessage {
  Role role = Role::kUser;
  std::vector<ContentPart> content;
  std::optional<std::string> reasoning;  // assistant only
  std::vector<ToolCall> tool_calls;      // assistant only
};

struct ChatOptions {
  bool thinking = false;          // the Thinking checkpoints' template, which opens with "<think>"
  bool generation_prompt = true;  // end with the assistant's header
  bool number_media = false;      // "Picture 1: " and "Video 1: " before each
};

/// A stretch of the rendered prompt.
struct PromptPiece {
  enum class Kind {
    kLiteral,  // the template's own words; may hold added tokens
    kText,     // a user's words; never form added tokens
    kImage,    // <|vision_start|><|image_pad|><|vision_end|> of the next picture
    kVideo,    // the same of the next video
  };
  Kind kind = Kind::kLiteral;
  std::string text;
};

/// Renders a conversation as the chat templates of Qwen3-VL Instruct and Thinking do. `tools` is a
/// list of function signatures. Throws Error(kInvalidArgument) for no messages or media outside
/// user and tool messages.
std::vector<PromptPiece> render_chat(
    const std::vector<ChatMessage>& messages,
    const nlohmann::ordered_json& tools = nlohmann::ordered_json::array(),
    const ChatOptions& options = {});

}  // namespace prismvid::tokenizer
