#include "server/chat_request.h"

#include <cmath>

#include "server/json_body.h"

namespace prismvid::server {
namespace {

using nlohmann::ordered_json;

constexpr int kDefaultTokens = 2048;
constexpr int kMostTokens = 65'536;
constexpr size_t kMostMessages = 1000;

float number_in(const BodyJson& body, const char* key, float fallback, double least, double most) {
  const auto value = number_key(body, key);
  if (!value) return fallback;
  if (!(*value >= least && *value <= most)) {
    wrong_key(key, "from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<float>(*value);
}

std::vector<std::string> read_stops(const BodyJson& body) {
  const auto stop = body.find("stop");
  if (stop == body.end() || stop->is_null()) return {};
  if (stop->is_string()) return {stop->get<std::string>()};
  std::vector<std::string> stops;
  if (!stop->is_array()) wrong_key("stop", "a string or a list of strings");
  for (const auto& text : *stop) {
    if (!text.is_string() || text.get_ref<const std::string&>().empty()) wrong_key("stop", "a list of strings that are not empty");
    stops.push_back(text.get<std::string>());
  }
  return stops;
}

void read_sampling(const BodyJson& body, inference::GenerateOptions& options) {
  const auto most = integer_key(body, "max_completion_tokens", 1, kMostTokens);
  options.max_tokens = static_cast<int>(most ? *most : integer_key(body, "max_tokens", 1, kMostTokens).value_or(kDefaultTokens));
  auto& sampling = options.sampling;
  sampling.temperature = number_in(body, "temperature", sampling.temperature, 0, 2);
  sampling.top_p = number_in(body, "top_p", sampling.top_p, 1e-6, 1);
  sampling.presence_penalty = number_in(body, "presence_penalty", sampling.presence_penalty, -2, 2);
  sampling.frequency_penalty = number_in(body, "frequency_penalty", sampling.frequency_penalty, -2, 2);
  sampling.seed = static_cast<uint64_t>(integer_key(body, "seed", INT64_MIN, INT64_MAX).value_or(static_cast<int64_t>(sampling.seed)));
  options.stop_strings = read_stops(body);
  options.loop_guard = true;
}

void read_format(const BodyJson& body, inference::GenerateOptions& options) {
  const auto format = body.find("response_format");
  if (format == body.end() || format->is_null()) return;
  if (!format->is_object()) wrong_key("response_format", "an object");
  const std::string type = required_string(*format, "type");
  if (type == "json_object") options.grammar = grammar::Grammar::any_json();
  else if (type == "json_schema") {
    const auto named = format->find("json_schema");
    if (named == format->end() || !named->is_object() || !named->contains("schema")) wrong_key("response_format.json_schema", "an object with a 'schema'");
    options.grammar = grammar::Grammar::json_schema((*named)["schema"]);
  } else if (type != "text")
    wrong_key("response_format.type", "text, json_object or json_schema");
}

/// A call as JSON: the name and arguments that fulfil the tool's schema.
ordered_json call_schema(const ordered_json& tool) {
  const ordered_json& function = tool["function"];
  ordered_json arguments = function.value("parameters", ordered_json{{"type", "object"}});
  if (arguments.value("type", "") == "object" && !arguments.contains("properties")) arguments["properties"] = ordered_json::object();
  return {{"type", "object"},
          {"properties", {{"name", {{"const", function["name"]}}}, {"arguments", arguments}}},
          {"required", {"name", "arguments"}},
          {"additionalProperties", false}};
}

void read_tools(const BodyJson& body, ChatCall& call) {
  const auto tools = body.find("tools");
  if (tools == body.end() || tools->is_null()) return;
  if (!tools->is_array()) wrong_key("tools", "a list");
  for (const auto& tool : *tools) {
    const bool fine = tool.is_object() && tool.value("type", "") == "function" && tool.contains("function") && tool["function"].is_object() &&
                      tool["function"].contains("name") && tool["function"]["name"].is_string();
    if (!fine) wrong_key("tools", "a list of {\"type\": \"function\", \"function\": {\"name\", ...}}");
  }
  const auto choice = body.find("tool_choice");
  const bool named = choice != body.end() && choice->is_object();
  const std::string mode = choice == body.end() || choice->is_null() ? "auto" : choice->is_string() ? choice->get<std::string>() : "named";
  if (mode == "none" || tools->empty()) return;
  call.tools = *tools;
  if (mode == "auto") return;
  if (mode != "required" && !named) wrong_key("tool_choice", "none, auto, required or a function");
  ordered_json schemas = ordered_json::array();
  const std::string wanted = named && choice->contains("function") && (*choice)["function"].is_object() ? (*choice)["function"].value("name", "") : "";
  for (const auto& tool : *tools)
    if (!named || tool["function"]["name"] == wanted) schemas.push_back(call_schema(tool));
  if (schemas.empty()) wrong_key("tool_choice", "a function of 'tools'");
  call.calls_required = true;
  call.options.grammar = grammar::Grammar::json_schema(schemas.size() == 1 ? schemas[0] : ordered_json{{"anyOf", schemas}});
}

ordered_json read_message(const ordered_json& message, ChatMedia& media) {
  if (!message.is_object() || !message.contains("role") || !message["role"].is_string()) wrong_key("messages", "a list of objects with a 'role'");
  ordered_json read = {{"role", message["role"] == "developer" ? ordered_json("system") : message["role"]}};
  for (const char* key : {"tool_calls", "reasoning_content"})
    if (message.contains(key)) read[key] = message[key];
  const auto content = message.find("content");
  if (content == message.end() || content->is_null() || content->is_string()) {
    read["content"] = content == message.end() ? ordered_json() : *content;
    return read;
  }
  if (!content->is_array()) wrong_key("content", "a string or a list of parts");
  read["content"] = ordered_json::array();
  for (const auto& part : *content) read["content"].push_back(media.resolve(part));
  return read;
}

/// Videos that metadata.video_ids names come before the words of the last message.
void add_named_videos(const BodyJson& body, ordered_json& messages, const ChatMedia& media) {
  const auto metadata = body.find("metadata");
  if (metadata == body.end() || !metadata->is_object() || !metadata->contains("video_ids")) return;
  ordered_json ids = (*metadata)["video_ids"];
  if (ids.is_string()) ids = ordered_json::array({ids});
  if (!ids.is_array()) wrong_key("metadata.video_ids", "a list of ids");
  ordered_json parts = ordered_json::array();
  for (const auto& id : ids) {
    if (!id.is_string()) wrong_key("metadata.video_ids", "a list of ids");
    parts.push_back(media.video_part(id.get<std::string>()));
  }
  ordered_json& content = messages.back()["content"];
  if (content.is_string()) parts.push_back({{"type", "text"}, {"text", content}});
  else for (const auto& part : content) parts.push_back(part);
  content = parts;
}

void refuse_unsupported(const BodyJson& body) {
  if (integer_key(body, "n", 1, 128).value_or(1) != 1) wrong_key("n", "1: there is one answer a request");
  for (const char* key : {"logit_bias", "audio", "prediction"})
    if (body.contains(key) && !body[key].is_null() && !body[key].empty()) wrong_key(key, "left out: it is not supported");
}

}  // namespace

std::string model_of(const ordered_json& body) {
  const std::string model = string_key(body, "model").value_or("");
  if (model == "default" || model == "prismvid") return "";
  const bool plain = !model.starts_with('/') && !model.starts_with('.') && !model.starts_with('~') && model.find("..") == std::string::npos;
  if (!plain) wrong_key("model", "a name that /v1/models lists, or \"default\"");
  return model;
}

ChatCall read_chat(const ordered_json& body, const inference::GenerateOptions& defaults, ChatMedia& media) {
  refuse_unsupported(body);
  ChatCall call;
  call.options = defaults;
  read_sampling(body, call.options);
  read_format(body, call.options);
  read_tools(body, call);
  call.stream = flag_key(body, "stream").value_or(false);
  if (const auto options = body.find("stream_options"); options != body.end() && options->is_object())
    call.include_usage = flag_key(*options, "include_usage").value_or(false);
  const auto top = integer_key(body, "top_logprobs", 0, 20);
  if (flag_key(body, "logprobs").value_or(false)) call.options.top_log_probabilities = static_cast<int>(top.value_or(0));
  const auto messages = body.find("messages");
  if (messages == body.end() || !messages->is_array() || messages->empty() || messages->size() > kMostMessages)
    wrong_key("messages", "a list of 1 to 1000 messages");
  call.messages = ordered_json::array();
  for (const auto& message : *messages) call.messages.push_back(read_message(message, media));
  add_named_videos(body, call.messages, media);
  return call;
}

ordered_json chat_of_completion(const ordered_json& body) {
  ordered_json chat = body;
  ordered_json prompt = body.value("prompt", ordered_json());
  if (prompt.is_array() && prompt.size() == 1) prompt = prompt[0];
  if (!prompt.is_string()) wrong_key("prompt", "a string");
  chat.erase("prompt");
  chat["messages"] = ordered_json::array({{{"role", "user"}, {"content", prompt}}});
  if (const auto top = integer_key(body, "logprobs", 0, 20)) {
    chat["logprobs"] = true;
    chat["top_logprobs"] = *top;
  }
  return chat;
}

ordered_json chat_of_response(const ordered_json& body) {
  ordered_json chat = body;
  ordered_json messages = ordered_json::array();
  if (const auto instructions = string_key(body, "instructions")) messages.push_back({{"role", "system"}, {"content", *instructions}});
  const ordered_json input = body.value("input", ordered_json());
  if (input.is_string()) messages.push_back({{"role", "user"}, {"content", input}});
  else if (!input.is_array()) wrong_key("input", "a string or a list of messages");
  else for (const auto& item : input) {
    const std::string type = item.is_object() ? item.value("type", "message") : "";
    if (type == "function_call")
      messages.push_back({{"role", "assistant"}, {"tool_calls", ordered_json::array({{{"type", "function"}, {"function", {{"name", item.value("name", "")}, {"arguments", item.value("arguments", "")}}}}})}});
    else if (type == "function_call_output")
      messages.push_back({{"role", "tool"}, {"content", item.value("output", ordered_json(""))}});
    else if (type == "message")
      messages.push_back(item);
    else
      wrong_key("input", "a list of messages, function_call and function_call_output");
  }
  chat.erase("input");
  chat["messages"] = messages;
  if (body.contains("max_output_tokens")) chat["max_tokens"] = body["max_output_tokens"];
  if (body.contains("previous_response_id") && !body["previous_response_id"].is_null())
    wrong_key("previous_response_id", "left out: responses are not kept, send the whole conversation");
  if (const auto text = body.find("text"); text != body.end() && text->is_object() && text->contains("format")) {
    ordered_json format = (*text)["format"];
    if (format.is_object() && format.value("type", "") == "json_schema") format = {{"type", "json_schema"}, {"json_schema", {{"schema", format.value("schema", ordered_json())}}}};
    chat["response_format"] = format;
  }
  if (body.contains("tools") && body["tools"].is_array()) {
    chat["tools"] = ordered_json::array();
    for (const auto& tool : body["tools"]) {
      ordered_json function = tool;
      if (function.is_object()) function.erase("type");
      chat["tools"].push_back({{"type", tool.is_object() ? tool.value("type", "") : ""}, {"function", function}});
    }
  }
  return chat;
}

}  // namespace prismvid::server
