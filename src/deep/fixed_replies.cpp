#include "deep/fixed_replies.h"

#include <vector>

#include "deep/clip.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

using document::Json;

int texts_in(const Json& schema) {
  if (schema.value("type", "") == "string") return 1;
  int texts = schema.contains("items") ? texts_in(schema["items"]) : 0;
  if (schema.contains("properties"))
    for (const auto& [name, property] : schema["properties"].items()) texts += texts_in(property);
  return texts;
}

/// A value that fulfils a schema of prompts/schemas: one of each list, `text` for every text.
Json example(const Json& schema, const std::string& name, const TimeRange& range,
             const std::string& text) {
  if (schema.contains("enum")) return schema["enum"][0];
  const std::string type = schema.value("type", "");
  if (type == "string") return text;
  if (type == "boolean") return true;
  if (type == "array") return Json::array({example(schema["items"], name, range, text)});
  if (type != "object") return document::seconds(name == "end" ? range.end_us : range.start_us);
  Json object = Json::object();
  for (const auto& [key, property] : schema["properties"].items())
    object[key] = example(property, key, range, text);
  return object;
}

/// Of what fulfils `schema` so many that a reply is cut before it has them all: a grammar ends
/// replies wherever it can.
Json endless(const Json& schema, int tokens) {
  constexpr int kFewestTokensOfItem = 4;
  return {{"type", "array"}, {"items", schema}, {"minItems", 1 + tokens / kFewestTokensOfItem}};
}

}  // namespace

FixedReplies::FixedReplies(Model& model, int tokens) : ForwardingModel(model), tokens_(tokens) {}

void FixedReplies::ask(std::span<const Request> requests,
                       const std::function<void(size_t, Reply)>& take, std::stop_token stop) {
  std::vector<Request> fixed(requests.begin(), requests.end());
  for (Request& request : fixed) {
    request.max_tokens = tokens_;
    request.goes_on = true;
    if (!request.schema.is_null()) request.schema = endless(request.schema, tokens_);
  }
  model_.ask(
      fixed,
      [&](size_t i, Reply reply) {
        const Json& schema = requests[i].schema;
        const auto clip = requests[i].looked().clip;
        fixed[i].look = {};  // what it has seen goes
        const TimeRange range = clip ? clip->range : TimeRange{0, 1'000'000};
        reply.ended = true;
        reply.text = schema.is_null()
                         ? words(tokens_)
                         : document::to_text(example(
                               schema, "", range, words(tokens_ / std::max(1, texts_in(schema)))));
        take(i, std::move(reply));
      },
      stop);
}

std::string FixedReplies::words(int tokens) const {
  std::string text = "A man opens the door";
  while (model_.count_tokens(text) < tokens) text += " and looks at the street";
  return text;
}

}  // namespace prismvid::deep
