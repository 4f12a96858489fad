#include "deep/replies.h"

#include "deep/schema_check.h"

namespace prismvid::deep {
namespace {

using Json = nlohmann::ordered_json;

constexpr float kRetryTemperature = 0.7f;  // Qwen3-VL's own

std::string without_fence(std::string text) {
  const auto trim = [&] {
    const char* blank = " \t\r\n";
    const size_t first = text.find_first_not_of(blank);
    text = first == std::string::npos ? "" : text.substr(first);
    text.erase(text.find_last_not_of(blank) + 1);
  };
  trim();
  if (!text.starts_with("```") || !text.ends_with("```") || text.size() < 6) return text;
  text = text.substr(3, text.size() - 6);
  if (text.starts_with("json")) text = text.substr(4);
  trim();
  return text;
}

/// Reads and checks; the problem in words, empty when `checked.value` is sound.
std::string read_reply(const Reply& reply, const Json& schema, Json& value) {
  if (!reply.ended)
    return "the reply was cut off after " + std::to_string(reply.tokens_out) + " tokens";
  value = Json::parse(without_fence(reply.text), nullptr, false);
  if (value.is_discarded()) return "the reply is not JSON";
  return schema_breach(value, schema).value_or("");
}

}  // namespace

Request request_of(const Prompt& prompt, const PromptValues& values, int max_tokens) {
  Request request;
  request.prompt = filled(prompt, values);
  request.schema = prompt.schema;
  request.max_tokens = max_tokens;
  return request;
}

Checked ask_checked(Model& model, const Request& request, std::stop_token stop) {
  Checked checked;
  ask_checked(
      model, {&request, 1}, [&](size_t, Checked reply) { checked = std::move(reply); }, stop);
  return checked;
}

void ask_checked(Model& model, std::span<const Request> requests,
                 const std::function<void(size_t, Checked)>& take, std::stop_token stop) {
  const auto add = [&](Checked& checked, const Reply& reply, const Json& schema) {
    checked.tokens_in += reply.tokens_in;
    checked.tokens_out += reply.tokens_out;
    Json value;
    checked.problem = read_reply(reply, schema, value);
    if (checked.problem.empty()) checked.value = std::move(value);
  };
  model.ask(
      requests,
      [&](size_t i, const Reply& reply) {
        Checked checked;
        add(checked, reply, requests[i].schema);
        if (!checked.problem.empty()) {
          Request again = requests[i];
          again.temperature = kRetryTemperature;
          again.seed = again.seed + 1;
          again.on_text = {};  // the first try was told of
          model.ask(
              {&again, 1}, [&](size_t, const Reply& second) { add(checked, second, again.schema); },
              stop);
        }
        take(i, std::move(checked));
      },
      stop);
}

document::Json made_by(const std::string& stage, const std::string& engine, const Model& model,
                       const Prompt& prompt) {
  return {{"stage", stage},
          {"engine", engine},
          {"model", model.card().id},
          {"prompt_id", "prompts/" + prompt.name + ".md"},
          {"prompt_sha256", prompt.sha256}};
}

}  // namespace prismvid::deep
