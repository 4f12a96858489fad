#include <algorithm>

#include "grammar/schema_document.h"

namespace prismvid::grammar {
namespace {

constexpr int kDeepest = 4;

// With "number" for "integer": their values overlap.
std::vector<std::string> kinds_of(const Json& schema) {
  std::vector<std::string> kinds = types_of(schema);
  std::replace(kinds.begin(), kinds.end(), std::string("integer"), std::string("number"));
  return kinds;
}

bool any_value_fits(const Json& values, const Json& schema) {
  const auto types = types_of(schema);
  return std::any_of(values.begin(), values.end(), [&](const Json& value) {
    const bool listed =
        !schema.contains("enum") ||
        std::find(schema["enum"].begin(), schema["enum"].end(), value) != schema["enum"].end();
    return listed && has_type(value, types);
  });
}

bool is_below(const Json& a, const Json& b) {
  const auto limit = [](const Json& schema, const char* key, const char* exclusive) {
    return schema.contains(key) ? schema[key] : schema.value(exclusive, Json());
  };
  const Json high = limit(a, "maximum", "exclusiveMaximum"),
             low = limit(b, "minimum", "exclusiveMinimum");
  return high.is_number() && low.is_number() && high < low;
}

}  // namespace

bool SchemaDocument::never_matches(const Json& first, const Json& second, int depth) const {
  if (depth > kDeepest) return false;
  const Json a = flattened(first), b = flattened(second);
  const auto each = [&](const Json& schema, const char* key, const auto& test) {
    if (!schema.contains(key)) return false;
    Json rest = schema;
    rest.erase(key);
    return std::all_of(schema[key].begin(), schema[key].end(),
                       [&](const Json& one) { return test(merged(rest, one)); });
  };
  for (const char* key : {"anyOf", "oneOf"}) {
    if (each(a, key, [&](const Json& one) { return never_matches(one, b, depth + 1); }) ||
        each(b, key, [&](const Json& one) { return never_matches(a, one, depth + 1); }))
      return true;
  }
  if (a.contains("enum")) return !any_value_fits(a["enum"], b);
  if (b.contains("enum")) return !any_value_fits(b["enum"], a);
  const auto x = kinds_of(a), y = kinds_of(b);
  std::vector<std::string> both;
  for (const std::string& kind : x)
    if (std::find(y.begin(), y.end(), kind) != y.end()) both.push_back(kind);
  if (both.empty()) return true;
  if (both.size() > 1) return false;
  if (both[0] == "number") return is_below(a, b) || is_below(b, a);
  if (both[0] != "object") return false;

  const Json mine = a.value("properties", Json::object()),
             theirs = b.value("properties", Json::object());
  const Json needed = a.value("required", Json::array()),
             theirs_needed = b.value("required", Json::array());
  for (const Json& name : theirs_needed)
    if (!mine.contains(name.get<std::string>()) &&
        a.value("additionalProperties", Json(false)) == Json(false))
      return true;
  for (const Json& entry : needed) {
    const std::string name = entry.get<std::string>();
    if (!theirs.contains(name)) {
      if (b.value("additionalProperties", Json(true)) == Json(false)) return true;
    } else if (mine.contains(name) && never_matches(mine[name], theirs[name], depth + 1)) {
      return true;
    }
  }
  return false;
}

}  // namespace prismvid::grammar
