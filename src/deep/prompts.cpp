#include "deep/prompts.h"

#include <algorithm>

#include "core/error.h"
#include "core/sha256.h"
#include "deep/embedded_prompts.h"

namespace prismvid::deep {
namespace {

std::vector<Prompt> read_prompts() {
  std::vector<Prompt> prompts;
  for (const EmbeddedPrompt* file = kEmbeddedPrompts; file->name != nullptr; ++file) {
    std::string text = file->text;
    const std::string hash = sha256_hex(text + file->schema);
    while (text.ends_with('\n')) text.pop_back();
    prompts.push_back(
        {file->name, std::move(text), nlohmann::ordered_json::parse(file->schema), hash});
  }
  return prompts;
}

}  // namespace

const Prompt& prompt(std::string_view name) {
  static const std::vector<Prompt> prompts = read_prompts();
  const auto found =
      std::find_if(prompts.begin(), prompts.end(), [&](const Prompt& p) { return p.name == name; });
  check(found != prompts.end(), ErrorCode::kInternal, "there is no prompt '", name, "'");
  return *found;
}

std::string filled(const Prompt& prompt, const PromptValues& values) {
  const std::string_view text = prompt.text;
  std::string out;
  size_t at = 0;
  for (size_t open; (open = text.find("{{", at)) != std::string_view::npos;) {
    const size_t close = text.find("}}", open);
    check(close != std::string_view::npos, ErrorCode::kInternal, "prompt '", prompt.name,
          "' has an open placeholder");
    const std::string_view key = text.substr(open + 2, close - open - 2);
    const auto value =
        std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == key; });
    check(value != values.end(), ErrorCode::kInternal, "prompt '", prompt.name,
          "' has the unknown placeholder ", key);
    out += text.substr(at, open - at);
    out += value->second;
    at = close + 2;
  }
  return out += text.substr(at);
}

}  // namespace prismvid::deep
