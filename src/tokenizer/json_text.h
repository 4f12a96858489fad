#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace prismvid::tokenizer {

/// JSON text as Python's json.dumps(value, ensure_ascii=False) writes it: ", " and ": ", key order
/// kept. The chat template's tools and tool calls were trained in this form.
std::string python_json(const nlohmann::ordered_json& value);

}  // namespace prismvid::tokenizer
