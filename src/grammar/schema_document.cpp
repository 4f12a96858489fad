#include "grammar/schema_document.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::grammar {
namespace {

constexpr int kDeepest = 40;
constexpr size_t kMostAlternatives = 1000;
constexpr int kMostWork = 200'000;  // subschemas looked at

[[noreturn]] void refuse(const std::string& what) {
  fail(ErrorCode::kInvalidArgument, "the schema cannot be used: ", what);
}

Json nothing() {
  return Json::object({{"enum", Json::array()}});
}

bool is_nothing(const Json& schema) {
  return schema.is_object() && schema.contains("enum") && schema["enum"].empty();
}

// Keywords that say nothing about what is valid.
bool is_annotation(const std::string& key) {
  static const std::vector<std::string> constraints{
      "type",    "enum",        "const",     "properties",   "required", "additionalProperties",
      "items",   "prefixItems", "minItems",  "maxItems",     "minimum",  "exclusiveMaximum",
      "maximum", "minLength",   "maxLength", "pattern",      "anyOf",    "exclusiveMinimum",
      "oneOf",   "allOf",       "$ref",      "minProperties"};
  return std::find(constraints.begin(), constraints.end(), key) == constraints.end();
}

Json common_types(const Json& a, const Json& b) {
  const auto x = types_of({{"type", a}}), y = types_of({{"type", b}});
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  Json both = Json::array();
  for (const std::string& name : x) {
    if (has(y, name) || (name == "integer" && has(y, "number"))) both.push_back(name);
    if (name == "number" && has(y, "integer") && !has(x, "integer")) both.push_back("integer");
  }
  return both;
}

Json common_values(const Json& a, const Json& b) {
  Json both = Json::array();
  for (const Json& value : a)
    if (std::find(b.begin(), b.end(), value) != b.end()) both.push_back(value);
  return both;
}

const Json& tighter(const std::string& key, const Json& a, const Json& b) {
  const bool least = key.starts_with("min") || key == "exclusiveMinimum";
  return (a < b) == least ? b : a;
}

}  // namespace

const Json& SchemaDocument::resolve(const std::string& reference) const {
  if (!reference.starts_with("#"))
    refuse("$ref " + reference + " is not local: only # and #/... are");
  try {
    return root_.at(nlohmann::json_pointer<std::string>(reference.substr(1)));
  } catch (const nlohmann::json::exception&) {
    refuse("$ref " + reference + " leads nowhere");
  }
}

Json SchemaDocument::flattened(const Json& schema) const {
  return flattened(schema, 0);
}

Json SchemaDocument::merged(const Json& a, const Json& b) const {
  return merged(a, b, 0);
}

Json SchemaDocument::flattened(const Json& schema, int depth) const {
  if (depth > kDeepest) refuse("references or allOf in a circle");
  if (++work_ > kMostWork) refuse("its references and alternatives multiply too much");
  check_keywords(schema);
  if (schema.is_boolean()) return schema.get<bool>() ? Json::object() : nothing();
  Json rest = schema;
  for (auto entry = rest.begin(); entry != rest.end();)
    entry = is_annotation(entry.key()) ? rest.erase(entry) : std::next(entry);
  if (rest.contains("const")) {
    const Json values = rest.contains("enum")
                            ? common_values(Json::array({rest["const"]}), rest["enum"])
                            : Json::array({rest["const"]});
    rest.erase("const");
    rest["enum"] = values;
  }
  std::vector<Json> others;
  if (rest.contains("$ref")) others.push_back(resolve(rest["$ref"].get<std::string>()));
  if (rest.contains("allOf"))
    for (const Json& one : rest["allOf"]) others.push_back(one);
  rest.erase("$ref");
  rest.erase("allOf");
  for (const Json& other : others) rest = joined(rest, flattened(other, depth + 1), depth + 1);
  return rest;
}

Json SchemaDocument::merged(const Json& a, const Json& b, int depth) const {
  return joined(flattened(a, depth), flattened(b, depth), depth + 1);
}

// Of two flattened schemas.
Json SchemaDocument::joined(Json a, const Json& b, int depth) const {
  if (depth > kDeepest) refuse("constraints that cannot be joined: nested too deeply");
  if (is_nothing(a) || is_nothing(b)) return nothing();
  join_properties(a, b, depth);
  for (const auto& [key, value] : b.items()) {
    if (key == "properties" || key == "required" || key == "additionalProperties") continue;
    if (!a.contains(key)) {
      a[key] = value;
    } else if (a[key] == value) {
    } else if (key == "type") {
      a[key] = common_types(a[key], value);
      if (a[key].empty()) return nothing();
    } else if (key == "enum") {
      a[key] = common_values(a[key], value);
      if (a[key].empty()) return nothing();
    } else if (key == "anyOf" || key == "oneOf") {
      Json all = Json::array();
      if (a[key].size() * value.size() > kMostAlternatives) refuse("too many alternatives");
      for (const Json& x : a[key])
        for (const Json& y : value) all.push_back(merged(x, y, depth + 1));
      a[key] = std::move(all);
    } else if (key == "items") {
      a[key] = merged(a[key], value, depth + 1);
    } else if (key == "pattern" || key == "prefixItems") {
      refuse("two different \"" + key + "\" at once");
    } else {
      a[key] = tighter(key, a[key], value);
    }
  }
  return a;
}

void SchemaDocument::join_properties(Json& a, const Json& b, int depth) const {
  const auto others = [](const Json& schema) {
    return schema.value("additionalProperties", Json::object());
  };
  const Json mine = a.value("properties", Json::object()),
             theirs = b.value("properties", Json::object());
  Json all = mine;
  for (const auto& [name, value] : mine.items()) {
    if (theirs.contains(name))
      all[name] = merged(value, theirs[name], depth + 1);
    else if (b.contains("additionalProperties"))
      all[name] = merged(value, others(b), depth + 1);
  }
  for (const auto& [name, value] : theirs.items())
    if (!all.contains(name))
      all[name] = a.contains("additionalProperties") ? merged(value, others(a), depth + 1) : value;
  if (!all.empty()) a["properties"] = std::move(all);
  if (b.contains("additionalProperties"))
    a["additionalProperties"] =
        a.contains("additionalProperties") ? merged(others(a), others(b), depth + 1) : others(b);
  if (!b.contains("required")) return;
  Json required = a.value("required", Json::array());
  for (const Json& name : b["required"])
    if (std::find(required.begin(), required.end(), name) == required.end())
      required.push_back(name);
  a["required"] = std::move(required);
}

}  // namespace prismvid::grammar
