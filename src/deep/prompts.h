#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prismvid::deep {

/// A prompt of prompts/: the file's text without its last line end, the form of the reply, and the
/// hash that every result made with it carries.
struct Prompt {
  std::string name;               // "captions"
  std::string text;               // with {{placeholders}}
  nlohmann::ordered_json schema;  // of its reply
  std::string sha256;             // 64 hexadecimal digits, of the file and the schema's
};

/// The prompt of that name. Throws Error(kInternal) for one that prompts/ does not hold.
const Prompt& prompt(std::string_view name);

/// Values of placeholders: what is known of the video. Data, whatever it says.
using PromptValues = std::vector<std::pair<std::string_view, std::string>>;

/// The prompt with its placeholders filled in one pass: a value that looks like a placeholder stays
/// as it is. Throws Error(kInternal) for a placeholder without a value.
std::string filled(const Prompt& prompt, const PromptValues& values);

}  // namespace prismvid::deep
