#include "tokenizer/chat_template.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "tokenizer/json_text.h"

namespace prismvid::tokenizer {
namespace {

constexpr std::string_view kToolsBefore =
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>";
constexpr std::string_view kToolsAfter =
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within "
    "<tool_call></tool_call> XML tags:\n<tool_call>\n"
    "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call><|im_end|>\n";

std::string plain_text(const ChatMessage& message) {
  std::string text;
  for (const ContentPart& part : message.content) text += part.text;
  return text;
}

std::string strip_front(std::string text) {
  return text.erase(0, text.find_first_not_of('\n'));
}

std::string strip_back(std::string text) {
  return text.erase(text.find_last_not_of('\n') + 1);
}

struct Answer {
  std::string reasoning;
  std::string content;
};

// Reasoning given apart, or what stands before "</think>" in the content.
Answer split_reasoning(const ChatMessage& message) {
  std::string content = plain_text(message);
  if (message.reasoning) return {*message.reasoning, content};
  constexpr std::string_view kOpen = "<think>", kClose = "</think>";
  const size_t first_close = content.find(kClose);
  if (first_close == std::string::npos) return {"", content};
  std::string reasoning = strip_back(content.substr(0, first_close));
  if (const size_t open = reasoning.rfind(kOpen); open != std::string::npos)
    reasoning.erase(0, open + kOpen.size());
  return {strip_front(reasoning),
          strip_front(content.substr(content.rfind(kClose) + kClose.size()))};
}

class Renderer {
 public:
  Renderer(const std::vector<ChatMessage>& messages, const nlohmann::ordered_json& tools,
           const ChatOptions& options)
      : messages_(messages), tools_(tools), options_(options) {}

  std::vector<PromptPiece> render() {
    write_head();
    last_query_ = find_last_query();
    for (size_t i = 0; i < messages_.size(); ++i) write_message(i);
    if (options_.generation_prompt) literal("<|im_start|>assistant\n");
    if (options_.generation_prompt && options_.thinking) literal("<think>\n");
    return std::move(pieces_);
  }

 private:
  void literal(std::string_view text) { add(PromptPiece::Kind::kLiteral, text); }
  void text(std::string_view text) { add(PromptPiece::Kind::kText, text); }

  void add(PromptPiece::Kind kind, std::string_view text) {
    if (!text.empty()) pieces_.push_back({kind, std::string(text)});
  }

  void write_head() {
    const bool has_system = messages_[0].role == Role::kSystem;
    const bool has_tools = !tools_.empty();
    if (!has_system && !has_tools) return;
    literal("<|im_start|>system\n");
    if (has_system) text(plain_text(messages_[0]));
    if (!has_tools) return literal("<|im_end|>\n");
    if (has_system) literal("\n\n");
    literal(kToolsBefore);
    for (const auto& tool : tools_) {
      literal("\n");
      text(python_json(tool));
    }
    literal(kToolsAfter);
  }

  // Index of the last user message that is not a tool's answer in disguise: reasoning before it is
  // dropped.
  size_t find_last_query() const {
    for (size_t i = messages_.size(); i-- > 0;) {
      const std::string content = plain_text(messages_[i]);
      const bool tool_answer =
          content.starts_with("<tool_response>") && content.ends_with("</tool_response>");
      if (messages_[i].role == Role::kUser && !tool_answer) return i;
    }
    return messages_.size() - 1;
  }

  void write_message(size_t index) {
    const ChatMessage& message = messages_[index];
    switch (message.role) {
      case Role::kSystem:
        if (index > 0 && options_.thinking) write_turn("system", message);
        break;
      case Role::kUser:
        write_turn("user", message);
        break;
      case Role::kAssistant:
        write_assistant(index);
        break;
      case Role::kTool:
        write_tool_answer(index);
        break;
    }
  }

  void write_turn(std::string_view role, const ChatMessage& message) {
    literal("<|im_start|>" + std::string(role) + "\n");
    write_content(message);
    literal("<|im_end|>\n");
  }

  void write_content(const ChatMessage& message) {
    for (const ContentPart& part : message.content) {
      switch (part.kind) {
        case ContentPart::Kind::kText:
          text(part.text);
          break;
        case ContentPart::Kind::kImage:
          write_media("Picture ", ++images_, PromptPiece::Kind::kImage);
          break;
        case ContentPart::Kind::kVideo:
          write_media("Video ", ++videos_, PromptPiece::Kind::kVideo);
          break;
      }
    }
  }

  void write_media(std::string_view name, int number, PromptPiece::Kind kind) {
    if (options_.number_media) literal(std::string(name) + std::to_string(number) + ": ");
    pieces_.push_back({kind, ""});
  }

  void write_assistant(size_t index) {
    const ChatMessage& message = messages_[index];
    literal("<|im_start|>assistant\n");
    Answer answer{"", plain_text(message)};
    if (options_.thinking) {
      answer = split_reasoning(message);
      const bool last = index + 1 == messages_.size();
      if (index > last_query_ && (last || !answer.reasoning.empty())) {
        literal("<think>\n");
        text(strip_back(strip_front(answer.reasoning)));
        literal("\n</think>\n\n");
        text(strip_front(answer.content));
      } else {
        text(answer.content);
      }
    } else {
      text(answer.content);
    }
    write_tool_calls(message, !answer.content.empty());
    literal("<|im_end|>\n");
  }

  void write_tool_calls(const ChatMessage& message, bool after_content) {
    for (const ToolCall& call : message.tool_calls) {
      if (std::exchange(after_content, true)) literal("\n");
      literal("<tool_call>\n{\"name\": \"");
      text(call.name);
      literal("\", \"arguments\": ");
      text(call.arguments.is_string() ? call.arguments.get<std::string>()
                                      : python_json(call.arguments));
      literal("}\n</tool_call>");
    }
  }

  void write_tool_answer(size_t index) {
    const auto is_tool = [&](size_t i) {
      return i < messages_.size() && messages_[i].role == Role::kTool;
    };
    if (index == 0 || !is_tool(index - 1)) literal("<|im_start|>user");
    literal("\n<tool_response>\n");
    write_content(messages_[index]);
    literal("\n</tool_response>");
    if (!is_tool(index + 1)) literal("<|im_end|>\n");
  }

  const std::vector<ChatMessage>& messages_;
  const nlohmann::ordered_json& tools_;
  const ChatOptions options_;
  std::vector<PromptPiece> pieces_;
  size_t last_query_ = 0;
  int images_ = 0;
  int videos_ = 0;
};

}  // namespace

Role parse_role(const std::string& name) {
  if (name == "system" || name == "developer") return Role::kSystem;
  if (name == "user") return Role::kUser;
  if (name == "assistant") return Role::kAssistant;
  if (name == "tool") return Role::kTool;
  fail(ErrorCode::kInvalidArgument, "unknown role \"", name,
       "\"; known are system, user, assistant and tool");
}

std::vector<PromptPiece> render_chat(const std::vector<ChatMessage>& messages,
                                     const nlohmann::ordered_json& tools,
                                     const ChatOptions& options) {
  check(!messages.empty(), ErrorCode::kInvalidArgument,
        "a conversation needs at least one message");
  check(tools.is_null() || tools.is_array(), ErrorCode::kInvalidArgument,
        "tools must be a JSON list");
  for (const ChatMessage& message : messages) {
    const bool may_hold_media = message.role == Role::kUser || message.role == Role::kTool;
    const bool text_only =
        std::all_of(message.content.begin(), message.content.end(),
                    [](const ContentPart& p) { return p.kind == ContentPart::Kind::kText; });
    check(may_hold_media || text_only, ErrorCode::kInvalidArgument,
          "images and videos belong into user or tool messages");
  }
  return Renderer(messages, tools, options).render();
}

}  // namespace prismvid::tokenizer
