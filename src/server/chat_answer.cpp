#include "server/chat_answer.h"

#include <algorithm>

#include "document/json.h"
#include "server/uploads.h"

namespace prismvid::server {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kClose = "</tool_call>";

std::optional<ToolCall> read_call(const std::string& text) {
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("name") || !json["name"].is_string()) return std::nullopt;
  const ordered_json arguments = json.value("arguments", ordered_json::object());
  return ToolCall{"call_" + random_hex().substr(0, 24), json["name"].get<std::string>(),
                  arguments.is_string() ? arguments.get<std::string>() : document::to_text(arguments)};
}

ordered_json bytes_of(const std::string& bytes) {
  ordered_json list = ordered_json::array();
  for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
  return list;
}

}  // namespace

ChatText split_calls(const std::string& text, bool calls_required) {
  ChatText split;
  if (calls_required) {
    if (auto call = read_call(text)) split.calls.push_back(*call);
    else split.content = text;
    return split;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find(kOpen, at), text.size());
    split.content += text.substr(at, open - at);
    if (open == text.size()) break;
    const size_t close = std::min(text.find(kClose, open), text.size());
    const std::string inside = text.substr(open + kOpen.size(), close - open - kOpen.size());
    at = std::min(close + kClose.size(), text.size());
    if (auto call = read_call(inside)) split.calls.push_back(*call);
    else split.content += text.substr(open, at - open);
  }
  if (!split.calls.empty()) split.content.erase(split.content.find_last_not_of(" \n\r\t") + 1);
  return split;
}

std::string CallFilter::push(const std::string& piece) {
  held_ += piece;
  if (in_call_) return "";
  const size_t open = held_.find(kOpen);
  size_t safe = open;
  if (open != std::string::npos) {
    in_call_ = true;
  } else {
    safe = held_.size();
    for (size_t length = std::min(kOpen.size() - 1, held_.size()); length > 0; --length)
      if (kOpen.starts_with(std::string_view(held_).substr(held_.size() - length))) {
        safe = held_.size() - length;
        break;
      }
  }
  std::string shown = held_.substr(0, safe);
  held_.erase(0, safe);
  return shown;
}

std::string finish_reason(const inference::Answer& answer, const ChatText& text) {
  if (!text.calls.empty()) return "tool_calls";
  return answer.finish_reason == inference::FinishReason::kStop ? "stop" : "length";
}

ordered_json ChatShape::usage(const inference::Answer& answer) const {
  const auto prompt = answer.prompt_token_ids.size(), completion = answer.token_ids.size();
  return {{"prompt_tokens", prompt}, {"completion_tokens", completion}, {"total_tokens", prompt + completion}};
}

ordered_json ChatShape::logprobs(const inference::Answer& answer) const {
  if (answer.log_probabilities.empty()) return nullptr;
  const auto told = [&](const nn::TokenProbability& token) -> ordered_json {
    const std::string bytes = planner.token_bytes(token.id);
    return {{"token", bytes}, {"logprob", token.log_probability}, {"bytes", bytes_of(bytes)}};
  };
  ordered_json content = ordered_json::array();
  for (const nn::LogProbabilities& token : answer.log_probabilities) {
    ordered_json entry = told(token.chosen);
    entry["top_logprobs"] = ordered_json::array();
    for (const nn::TokenProbability& other : token.top) entry["top_logprobs"].push_back(told(other));
    content.push_back(std::move(entry));
  }
  return {{"content", content}, {"refusal", nullptr}};
}

ordered_json ChatShape::calls(const std::vector<ToolCall>& calls, bool with_index) const {
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < calls.size(); ++i) {
    ordered_json call;
    if (with_index) call["index"] = i;
    call["id"] = calls[i].id;
    call["type"] = "function";
    call["function"] = {{"name", calls[i].name}, {"arguments", calls[i].arguments}};
    list.push_back(std::move(call));
  }
  return list;
}

ordered_json ChatShape::completion(const inference::Answer& answer, const ChatText& text) const {
  ordered_json message = {{"role", "assistant"}, {"content", text.content}, {"refusal", nullptr}};
  if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
  if (!text.calls.empty()) {
    message["tool_calls"] = calls(text.calls, false);
    if (text.content.empty()) message["content"] = nullptr;
  }
  return {{"id", id},
          {"object", "chat.completion"},
          {"created", created},
          {"model", model},
          {"choices", ordered_json::array({{{"index", 0}, {"message", message}, {"logprobs", logprobs(answer)}, {"finish_reason", finish_reason(answer, text)}}})},
          {"usage", usage(answer)}};
}

ordered_json ChatShape::chunk(const ordered_json& delta, const ordered_json& reason) const {
  return {{"id", id},
          {"object", "chat.completion.chunk"},
          {"created", created},
          {"model", model},
          {"choices", ordered_json::array({{{"index", 0}, {"delta", delta}, {"logprobs", nullptr}, {"finish_reason", reason}}})}};
}

}  // namespace prismvid::server
