#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace prismvid::deep {

/// The first breach of `schema` by `value` as one sentence, nullopt when it is sound. Knows what
/// the schemas of prompts/ use: type, enum, properties, required, additionalProperties: false,
/// items, minItems, maxItems, minimum, maximum.
std::optional<std::string> schema_breach(const nlohmann::ordered_json& value,
                                         const nlohmann::ordered_json& schema,
                                         const std::string& path = "the reply");

}  // namespace prismvid::deep
