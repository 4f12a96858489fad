#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tokenizer/chat_template.h"

namespace prismvid::tokenizer {

inline std::vector<ContentPart> parts_of(const nlohmann::ordered_json& content) {
  if (content.is_string()) return {{ContentPart::Kind::kText, content.get<std::string>()}};
  std::vector<ContentPart> parts;
  for (const auto& part : content) {
    if (part["type"] == "image") parts.push_back({ContentPart::Kind::kImage, ""});
    if (part["type"] == "video") parts.push_back({ContentPart::Kind::kVideo, ""});
    if (part["type"] == "text")
      parts.push_back({ContentPart::Kind::kText, part["text"].get<std::string>()});
  }
  return parts;
}

/// The messages of an entry of tests/golden/tokenizer/chats.json.
inline std::vector<ChatMessage> messages_of(const nlohmann::ordered_json& list) {
  std::vector<ChatMessage> messages;
  for (const auto& entry : list) {
    ChatMessage message{
        parse_role(entry["role"].get<std::string>()), parts_of(entry["content"]), {}, {}};
    if (entry.contains("reasoning_content"))
      message.reasoning = entry["reasoning_content"].get<std::string>();
    for (const auto& call : entry.value("tool_calls", nlohmann::ordered_json::array())) {
      const auto& function = call.contains("function") ? call["function"] : call;
      message.tool_calls.push_back({function["name"].get<std::string>(), function["arguments"]});
    }
    messages.push_back(message);
  }
  return messages;
}

}  // namespace prismvid::tokenizer
