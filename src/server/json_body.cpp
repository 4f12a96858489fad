#include "server/json_body.h"

#include <algorithm>
#include <cstring>

namespace prismvid::server {
namespace {

/// Deeper nesting is nobody's request, and would cost stack.
constexpr int kDeepest = 64;

const BodyJson* present(const BodyJson& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

void wrong_key(const std::string& key, const std::string& wanted) {
  throw HttpError(400, "invalid_body", "'" + key + "' must be " + wanted);
}

void allow_keys(const BodyJson& object, const std::string& where,
                std::initializer_list<const char*> known) {
  if (!object.is_object()) wrong_key(where, "an object");
  std::string list;
  for (const char* name : known) list += (list.empty() ? "" : ", ") + std::string(name);
  for (const auto& [key, value] : object.items())
    if (std::none_of(known.begin(), known.end(), [&](const char* name) { return key == name; }))
      throw HttpError(400, "unknown_key", where + " has no key '" + key + "': choose from " + list);
}

BodyJson parse_object(const std::string& body, std::initializer_list<const char*> known) {
  bool deep = false;
  const auto watch = [&](int depth, BodyJson::parse_event_t, BodyJson&) {
    deep = deep || depth > kDeepest;
    return !deep;
  };
  BodyJson json;
  try {
    json = BodyJson::parse(body, watch);
  } catch (const nlohmann::json::exception&) {
    throw HttpError(400, "invalid_json", "the body is not JSON");
  }
  if (deep || !json.is_object()) throw HttpError(400, "invalid_json", "the body must be a JSON object");
  allow_keys(json, "the body", known);
  return json;
}

std::optional<std::string> string_key(const BodyJson& object, const char* key) {
  const BodyJson* value = present(object, key);
  if (!value) return std::nullopt;
  if (!value->is_string()) wrong_key(key, "a string");
  return value->get<std::string>();
}

std::optional<double> number_key(const BodyJson& object, const char* key) {
  const BodyJson* value = present(object, key);
  if (!value) return std::nullopt;
  if (!value->is_number()) wrong_key(key, "a number");
  return value->get<double>();
}

std::optional<int64_t> integer_key(const BodyJson& object, const char* key, int64_t least,
                                   int64_t most) {
  const BodyJson* value = present(object, key);
  if (!value) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX) &&
                    value->get<int64_t>() >= least && value->get<int64_t>() <= most;
  if (!fits)
    wrong_key(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value->get<int64_t>();
}

std::optional<bool> flag_key(const BodyJson& object, const char* key) {
  const BodyJson* value = present(object, key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) wrong_key(key, "true or false");
  return value->get<bool>();
}

std::string required_string(const BodyJson& object, const char* key) {
  const auto value = string_key(object, key);
  if (!value || value->empty()) wrong_key(key, "given as a string that is not empty");
  return *value;
}

}  // namespace prismvid::server
