#include "deep/schema_check.h"

#include <algorithm>

namespace prismvid::deep {
namespace {

using Json = nlohmann::ordered_json;
using Breach = std::optional<std::string>;

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  return type == "number" && value.is_number();
}

Breach object_breach(const Json& value, const Json& schema, const std::string& path) {
  for (const Json& key : schema.value("required", Json::array()))
    if (!value.contains(key.get<std::string>()))
      return path + " lacks '" + key.get<std::string>() + "'";
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [key, part] : value.items()) {
    if (properties.contains(key)) {
      if (Breach breach = schema_breach(part, properties[key], path + "." + key)) return breach;
    } else if (!schema.value("additionalProperties", true)) {
      return path + " has the unknown key '" + key + "'";
    }
  }
  return std::nullopt;
}

Breach array_breach(const Json& value, const Json& schema, const std::string& path) {
  if (value.size() < schema.value("minItems", size_t{0})) return path + " has too few items";
  if (value.size() > schema.value("maxItems", value.size())) return path + " has too many items";
  if (!schema.contains("items")) return std::nullopt;
  for (size_t i = 0; i < value.size(); ++i)
    if (Breach breach =
            schema_breach(value[i], schema["items"], path + "[" + std::to_string(i) + "]"))
      return breach;
  return std::nullopt;
}

}  // namespace

Breach schema_breach(const Json& value, const Json& schema, const std::string& path) {
  if (schema.contains("enum")) {
    const Json& known = schema["enum"];
    if (std::find(known.begin(), known.end(), value) == known.end())
      return path + " is none of " + known.dump();
  }
  if (schema.contains("type") && !has_type(value, schema["type"].get<std::string>()))
    return path + " is not of type " + schema["type"].get<std::string>();
  if (value.is_number()) {
    const double number = value.get<double>();
    if (number < schema.value("minimum", number)) return path + " is too small";
    if (number > schema.value("maximum", number)) return path + " is too large";
  }
  if (value.is_object()) return object_breach(value, schema, path);
  if (value.is_array()) return array_breach(value, schema, path);
  return std::nullopt;
}

}  // namespace prismvid::deep
