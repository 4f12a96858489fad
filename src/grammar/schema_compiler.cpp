#include "grammar/schema_compiler.h"

#include <algorithm>

#include "core/error.h"
#include "grammar/automaton.h"
#include "grammar/code_points.h"
#include "grammar/number_range.h"
#include "grammar/pattern.h"

namespace prismvid::grammar {
namespace {

constexpr int kMostIndent = 12;  // blanks behind a line end
constexpr int kDeepestSchema = 100;

[[noreturn]] void refuse(const std::string& what) {
  fail(ErrorCode::kInvalidArgument, "the schema cannot be used: ", what);
}

std::optional<int> count_of(const Json& schema, const char* key) {
  const auto entry = schema.find(key);
  if (entry == schema.end()) return std::nullopt;
  return static_cast<int>(entry->get<double>());
}

NumberLimits limits_of(const Json& schema, bool integer) {
  NumberLimits limits{integer, {}, {}, false, false};
  const auto text = [&](const char* key) { return schema[key].dump(); };
  if (schema.contains("minimum")) limits.min = text("minimum");
  if (schema.contains("maximum")) limits.max = text("maximum");
  if (schema.contains("exclusiveMinimum") &&
      !(limits.min && schema["minimum"] > schema["exclusiveMinimum"])) {
    limits.min = text("exclusiveMinimum");
    limits.above_min = true;
  }
  if (schema.contains("exclusiveMaximum") &&
      !(limits.max && schema["maximum"] < schema["exclusiveMaximum"])) {
    limits.max = text("exclusiveMaximum");
    limits.below_max = true;
  }
  return limits;
}

// Whether a scalar fulfils a schema that says more than its type.
bool fulfils(const Json& value, const Json& schema) {
  Network network;
  const int rule = SchemaCompiler(network, SchemaDocument(schema)).compile();
  network.finish();
  return network.can_end(rule) && Automaton(network, rule).accepts(value.dump());
}

}  // namespace

int SchemaCompiler::rule_of(const Json& schema) {
  if (schema.is_object() && schema.size() == 1 && schema.contains("$ref")) {
    check_keywords(schema);
    const Json& target = document_.resolve(schema["$ref"].get<std::string>());
    if (target != schema) return rule_of(target);
    refuse("$ref " + schema["$ref"].dump() + " names itself");
  }
  const auto [entry, is_new] = rules_.try_emplace(schema.dump(), 0);
  if (!is_new) return entry->second;
  const int rule = entry->second = network_.add_rule();
  const int end = network_.add_state();
  network_.set_accepting(end);
  if (++depth_ > kDeepestSchema) refuse("its parts are nested too deeply");
  add_schema(network_.start_of(rule), document_.flattened(schema), end);
  --depth_;
  return rule;
}

// Of a flattened schema.
void SchemaCompiler::add_schema(int from, const Json& schema, int to) {
  if (schema.contains("anyOf")) return add_alternatives(from, schema, "anyOf", to);
  if (schema.contains("oneOf")) return add_alternatives(from, schema, "oneOf", to);
  if (schema.contains("enum")) return add_values(from, schema, to);
  for (const std::string& type : types_of(schema)) add_type(from, type, schema, to);
}

void SchemaCompiler::add_alternatives(int from, const Json& schema, const char* key, int to) {
  Json rest = schema;
  rest.erase(key);
  std::vector<Json> all;
  for (const Json& one : schema[key])
    all.push_back(rest.empty() ? one : document_.merged(rest, one));
  if (std::string(key) == "oneOf")
    for (size_t i = 0; i < all.size(); ++i)
      for (size_t k = 0; k < all.size(); ++k)
        if (i != k && !document_.never_matches(all[i], all[k]))
          refuse("alternatives " + std::to_string(std::min(i, k) + 1) + " and " +
                 std::to_string(std::max(i, k) + 1) +
                 " of a oneOf may both match; use anyOf, or a \"const\" that sets them apart");
  for (const Json& one : all) network_.add_call(from, rule_of(one), to);
}

void SchemaCompiler::add_values(int from, const Json& schema, int to) {
  const auto types = types_of(schema);
  Json rest = schema;
  rest.erase("enum");
  const bool only_type = rest.empty() || (rest.size() == 1 && rest.contains("type"));
  for (const Json& value : schema["enum"]) {
    if (schema.contains("type") && !has_type(value, types)) continue;
    if (!only_type) {
      if (value.is_structured())
        refuse("an enum of objects or lists beside other constraints is not supported");
      if (!fulfils(value, rest)) continue;
    }
    network_.add_empty(add_value(from, value), to);
  }
}

void SchemaCompiler::add_type(int from, const std::string& type, const Json& schema, int to) {
  if (type == "object") return add_object(from, schema, to);
  if (type == "array") return add_array(from, schema, to);
  if (type == "string") return add_string(from, schema, to);
  if (type == "number" || type == "integer")
    return add_number(network_, from, limits_of(schema, type == "integer"), to);
  if (type == "null") return network_.add_empty(network_.add_text(from, "null"), to);
  for (const char* word : {"true", "false"}) network_.add_empty(network_.add_text(from, word), to);
}

void SchemaCompiler::add_string(int from, const Json& schema, int to) {
  const int least = count_of(schema, "minLength").value_or(0);
  const auto most = count_of(schema, "maxLength");
  int at = network_.add_text(from, "\"");
  const int end = network_.add_state();
  network_.add_empty(network_.add_text(end, "\""), to);
  if (schema.contains("pattern")) {
    const Pattern pattern = parse_regex(schema["pattern"].get<std::string>(), Match::kAnywhere);
    at = add_pattern(network_, at, pattern, {least, most}, Writing::kJsonString);
    return network_.add_empty(at, end);
  }
  for (int i = 0; i < least; ++i) at = add_call(at, character_rule());
  if (!most) {
    const int loop = network_.add_state();
    network_.add_empty(at, loop);
    network_.add_call(loop, character_rule(), loop);
    return network_.add_empty(loop, end);
  }
  if (least > *most) return;
  network_.add_empty(at, end);
  for (int i = least; i < *most; ++i) {
    at = add_call(at, character_rule());
    network_.add_empty(at, end);
  }
}

void SchemaCompiler::add_array(int from, const Json& schema, int to) {
  const Json first = schema.value("prefixItems", Json::array());
  const Json others = schema.value("items", Json::object());
  const int least = count_of(schema, "minItems").value_or(0);
  const auto most = count_of(schema, "maxItems");
  if (most && least > *most) return;
  int at = add_space(network_.add_text(from, "["));
  const int end = network_.add_state();
  network_.add_empty(network_.add_text(end, "]"), to);
  const auto item = [&](int start, int index) {
    const auto place = static_cast<size_t>(index);
    if (index > 0) start = add_symbol(start, ",");
    return add_space(add_call(start, rule_of(place < first.size() ? first[place] : others)));
  };
  const int singles = std::max(least, static_cast<int>(first.size()) + 1);
  for (int i = 0; i < singles || (most && i < *most); ++i) {
    if (i >= least) network_.add_empty(at, end);
    if (most && i >= *most) return;
    at = item(at, i);
  }
  network_.add_empty(at, end);
  if (!most) network_.add_empty(item(at, singles), at);
}

// Two states for each place between properties: nothing written yet, or something, so that a comma
// must come first.
void SchemaCompiler::add_object(int from, const Json& schema, int to) {
  const Json properties = schema.value("properties", Json::object());
  const Json required = schema.value("required", Json::array());
  int empty = add_space(network_.add_text(from, "{"));
  int filled = network_.add_state();
  const auto add_property = [&](int start, const std::string& name, const Json& value) {
    const int key = add_space(network_.add_text(start, "\"" + json_escaped(name) + "\""));
    return add_space(add_call(add_space(network_.add_text(key, ":")), rule_of(value)));
  };
  const auto pass = [&](const std::string& name, const Json& value) {
    const int next_empty = network_.add_state(), next_filled = network_.add_state();
    network_.add_empty(add_property(empty, name, value), next_filled);
    network_.add_empty(add_property(add_symbol(filled, ","), name, value), next_filled);
    if (std::find(required.begin(), required.end(), name) == required.end()) {
      network_.add_empty(empty, next_empty);
      network_.add_empty(filled, next_filled);
    }
    empty = next_empty;
    filled = next_filled;
  };
  for (const auto& [name, value] : properties.items()) pass(name, value);
  const bool anything = !schema.contains("properties") && !schema.contains("additionalProperties");
  const Json others = schema.value("additionalProperties", Json(anything));
  for (const Json& name : required)
    if (!properties.contains(name.get<std::string>())) pass(name.get<std::string>(), others);
  const int end = network_.add_state();
  network_.add_empty(network_.add_text(end, "}"), to);
  network_.add_empty(empty, end);
  network_.add_empty(filled, end);
  if (others == Json(false)) return;
  const int first = add_other_properties(empty, false, schema);
  network_.add_empty(first, end);
  network_.add_empty(filled, first);
  network_.add_empty(add_other_properties(first, true, schema), first);
}

int SchemaCompiler::add_other_properties(int from, bool behind_others, const Json& schema) {
  const Json properties = schema.value("properties", Json::object());
  Json names = properties;
  const Json required = schema.value("required", Json::array());
  for (const Json& name : required) names[name.get<std::string>()] = true;
  if (behind_others) from = add_symbol(from, ",");
  const int key = add_space(add_other_name(network_.add_text(from, "\""), names));
  const Json others = schema.value("additionalProperties", Json::object());
  return add_space(add_call(add_space(network_.add_text(key, ":")), rule_of(others)));
}

// A name that is none of those of `properties`: along the tree of their bytes until it leaves them.
int SchemaCompiler::add_other_name(int from, const Json& properties) {
  const int end = network_.add_state(), free = network_.add_state();
  network_.add_empty(network_.add_text(free, "\""), end);
  network_.add_call(free, character_rule(), free);
  std::vector<std::u32string> names;
  for (const auto& [name, value] : properties.items()) names.push_back(to_code_points(name));
  // Prefixes of names, each with the characters by which a name goes on.
  std::unordered_map<std::u32string, int> states{{U"", from}};
  std::vector<std::u32string> todo{U""};
  while (!todo.empty()) {
    const std::u32string prefix = std::move(todo.back());
    todo.pop_back();
    const int state = states.at(prefix);
    std::vector<CodePointRange> next;
    bool is_name = false;
    for (const std::u32string& name : names) {
      if (!name.starts_with(prefix)) continue;
      if (name.size() == prefix.size()) {
        is_name = true;
        continue;
      }
      const char32_t c = name[prefix.size()];
      next.push_back({c, c});
      if (!states.try_emplace(prefix + c, -1).second) continue;
      const int target = states[prefix + c] = network_.add_state();
      add_code_points(network_, state, {{c, c}}, Writing::kJsonString, target);
      todo.push_back(prefix + c);
    }
    add_code_points(network_, state, complement(normalized(next)), Writing::kJsonString, free);
    if (!is_name) network_.add_empty(network_.add_text(state, "\""), end);
  }
  return end;
}

int SchemaCompiler::add_value(int from, const Json& value) {
  if (value.is_string())
    return network_.add_text(from, "\"" + json_escaped(value.get<std::string>()) + "\"");
  if (!value.is_structured()) return network_.add_text(from, value.dump());
  int at = add_space(network_.add_text(from, value.is_array() ? "[" : "{"));
  bool first = true;
  for (const auto& [key, item] : value.items()) {
    if (!std::exchange(first, false)) at = add_symbol(at, ",");
    if (value.is_object())
      at = add_symbol(add_space(network_.add_text(at, "\"" + json_escaped(key) + "\"")), ":");
    at = add_space(add_value(at, item));
  }
  return network_.add_text(at, value.is_array() ? "]" : "}");
}

int SchemaCompiler::add_symbol(int from, const char* symbol) {
  return add_space(network_.add_text(from, symbol));
}

int SchemaCompiler::add_space(int from) {
  if (space_rule_ < 0) {
    space_rule_ = network_.add_rule();
    const int start = network_.start_of(space_rule_), end = network_.add_state();
    network_.set_accepting(end);
    network_.add_empty(start, end);
    network_.add_bytes(start, ' ', ' ', end);
    int indent = network_.add_text(start, "\n");
    for (int i = 0; i < kMostIndent; ++i) {
      network_.add_empty(indent, end);
      indent = network_.add_text(indent, " ");
    }
    network_.add_empty(indent, end);
  }
  return add_call(from, space_rule_);
}

int SchemaCompiler::add_call(int from, int rule) {
  const int next = network_.add_state();
  network_.add_call(from, rule, next);
  return next;
}

int SchemaCompiler::character_rule() {
  if (character_rule_ < 0) {
    character_rule_ = network_.add_rule();
    const int end = network_.add_state();
    network_.set_accepting(end);
    add_code_points(network_, network_.start_of(character_rule_), complement({}),
                    Writing::kJsonString, end);
  }
  return character_rule_;
}

}  // namespace prismvid::grammar
