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
  for (int attempt = 0; attempt < 2; ++attempt) {
    Request again = request;
    if (attempt > 0) {
      again.temperature = kRetryTemperature;
      again.seed = request.seed + 1;
    }
    Json value;
    model.ask(
        {&again, 1},
        [&](size_t, Reply reply) {
          checked.tokens_in += reply.tokens_in;
          checked.tokens_out += reply.tokens_out;
          checked.problem = read_reply(reply, request.schema, value);
        },
        stop);
    if (!checked.problem.empty()) continue;
    checked.value = std::move(value);
    break;
  }
  return checked;
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
