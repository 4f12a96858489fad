#include <algorithm>
#include <map>

#include "core/error.h"
#include "grammar/schema_document.h"

namespace prismvid::grammar {
namespace {

const std::vector<std::string> kRefused{"not",
                                        "if",
                                        "then",
                                        "else",
                                        "contains",
                                        "minContains",
                                        "maxContains",
                                        "patternProperties",
                                        "propertyNames",
                                        "dependentSchemas",
                                        "dependencies",
                                        "dependentRequired",
                                        "multipleOf",
                                        "maxProperties",
                                        "$dynamicRef",
                                        "unevaluatedProperties",
                                        "$recursiveRef",
                                        "unevaluatedItems",
                                        "additionalItems"};

const std::map<std::string, std::string> kTypeOfKeyword{{"properties", "object"},
                                                        {"required", "object"},
                                                        {"additionalProperties", "object"},
                                                        {"items", "array"},
                                                        {"prefixItems", "array"},
                                                        {"minItems", "array"},
                                                        {"maxItems", "array"},
                                                        {"minimum", "number"},
                                                        {"maximum", "number"},
                                                        {"exclusiveMinimum", "number"},
                                                        {"pattern", "string"},
                                                        {"exclusiveMaximum", "number"},
                                                        {"minLength", "string"},
                                                        {"maxLength", "string"}};

const std::vector<std::string> kAllTypes{"object", "array", "string", "number", "boolean", "null"};

[[noreturn]] void refuse(const std::string& what) {
  fail(ErrorCode::kInvalidArgument, "the schema cannot be used: ", what);
}

void check_kind(const Json& schema, const char* key, bool (*is_right)(const Json&),
                const char* kind) {
  const auto entry = schema.find(key);
  if (entry != schema.end() && !is_right(*entry))
    refuse(std::string("\"") + key + "\" must be " + kind + ", got " + entry->dump().substr(0, 80));
}

void check_kinds(const Json& schema) {
  const auto is_object = [](const Json& value) { return value.is_object(); };
  const auto is_list = [](const Json& value) { return value.is_array() && !value.empty(); };
  const auto is_schema = [](const Json& value) { return value.is_object() || value.is_boolean(); };
  const auto is_number = [](const Json& value) { return value.is_number(); };
  const auto is_string = [](const Json& value) { return value.is_string(); };
  const auto is_count = [](const Json& value) {
    return value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 1e9;
  };
  const auto is_names = [](const Json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(),
                                           [](const Json& name) { return name.is_string(); });
  };
  check_kind(schema, "properties", is_object, "an object");
  for (const char* key : {"anyOf", "oneOf", "allOf", "enum"})
    check_kind(schema, key, is_list, "a list that is not empty");
  check_kind(
      schema, "prefixItems", [](const Json& value) { return value.is_array(); }, "a list");
  for (const char* key : {"items", "additionalProperties"})
    check_kind(schema, key, is_schema, "a schema");
  for (const char* key : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
    check_kind(schema, key, is_number, "a number");
  for (const char* key : {"minLength", "maxLength", "minItems", "maxItems"})
    check_kind(schema, key, is_count, "a number of 0 or more");
  for (const char* key : {"pattern", "$ref"}) check_kind(schema, key, is_string, "a string");
  check_kind(schema, "required", is_names, "a list of names");
}

}  // namespace

void check_keywords(const Json& schema) {
  if (schema.is_boolean()) return;
  if (!schema.is_object()) refuse("a schema must be an object, got " + schema.dump().substr(0, 80));
  for (const std::string& key : kRefused)
    if (schema.contains(key)) refuse("\"" + key + "\" is not supported");
  if (schema.value("uniqueItems", Json(false)) != Json(false))
    refuse("\"uniqueItems\" is not supported");
  const size_t required = schema.contains("required") ? schema["required"].size() : 0;
  if (schema.contains("minProperties") && schema["minProperties"] > required)
    refuse("\"minProperties\" above the number of required properties is not supported");
  check_kinds(schema);
}

std::vector<std::string> types_of(const Json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) {
    std::vector<std::string> types;
    for (const auto& [key, name] : kTypeOfKeyword)
      if (schema.contains(key) && std::find(types.begin(), types.end(), name) == types.end())
        types.push_back(name);
    return types.empty() ? kAllTypes : types;
  }
  std::vector<std::string> types;
  const Json names = type->is_array() ? *type : Json::array({*type});
  for (const Json& name : names) {
    if (!name.is_string() ||
        (std::find(kAllTypes.begin(), kAllTypes.end(), name) == kAllTypes.end() &&
         name != "integer"))
      refuse("there is no type " + name.dump().substr(0, 80));
    types.push_back(name.get<std::string>());
  }
  return types;
}

bool has_type(const Json& value, const std::vector<std::string>& types) {
  const auto has = [&](const char* name) {
    return std::find(types.begin(), types.end(), name) != types.end();
  };
  if (value.is_object()) return has("object");
  if (value.is_array()) return has("array");
  if (value.is_string()) return has("string");
  if (value.is_boolean()) return has("boolean");
  if (value.is_null()) return has("null");
  if (has("number")) return true;
  const double number = value.get<double>();
  return has("integer") && number == static_cast<double>(static_cast<int64_t>(number));
}

}  // namespace prismvid::grammar
