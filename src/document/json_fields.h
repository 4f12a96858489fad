#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "document/json.h"

// Reading and writing single keys, shared by the document and the stage values. Inside document
// only.
namespace prismvid::document {

inline constexpr int kConfidenceDecimals = 4;
inline constexpr int kBoxDecimals = 5;

inline Json json_range(const TimeRange& range) {
  return {{"start", seconds(range.start_us)}, {"end", seconds(range.end_us)}};
}

inline double json_confidence(float value) {
  return rounded(value, kConfidenceDecimals);
}

inline Json json_box(const Box& box) {
  Json values = Json::array();
  for (float v : {box.x0, box.y0, box.x1, box.y1}) values.push_back(rounded(v, kBoxDecimals));
  return values;
}

inline Json json_quad(const Quad& quad) {
  Json values = Json::array();
  for (const Point& p : quad)
    for (float v : {p.x, p.y}) values.push_back(rounded(v, kBoxDecimals));
  return values;
}

inline void put_if_said(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

inline void put_if_said(Json& json, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) json[key] = values;
}

/// Applies `write` to each value.
template <typename Values, typename Write>
Json json_list(const Values& values, Write write) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(write(value));
  return list;
}

inline const Json& at(const Json& json, const char* key) {
  check(json.is_object() && json.contains(key), ErrorCode::kInvalidArgument, "the key '", key,
        "' is missing");
  return json.at(key);
}

/// Runs `read`, and puts the key in front of whatever went wrong in it.
template <typename Read>
auto within(const char* key, Read read) -> decltype(read()) {
  try {
    return read();
  } catch (const Error& error) {
    fail(error.code(), key, ": ", error.what());
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kInvalidArgument, key, ": ", error.what());
  }
}

template <typename T>
T get(const Json& json, const char* key) {
  return within(key, [&] { return at(json, key).get<T>(); });
}

template <typename T>
T get_or(const Json& json, const char* key, T fallback) {
  if (!json.is_object() || !json.contains(key) || json.at(key).is_null()) return fallback;
  return get<T>(json, key);
}

inline int64_t get_time(const Json& json, const char* key) {
  return within(key, [&] { return microseconds(at(json, key)); });
}

inline TimeRange get_range(const Json& json) {
  return {get_time(json, "start"), get_time(json, "end")};
}

inline Box get_box(const Json& values) {
  check(values.is_array() && values.size() == 4, ErrorCode::kInvalidArgument,
        "a box has 4 numbers, this is ", values.dump());
  return {values[0].get<float>(), values[1].get<float>(), values[2].get<float>(),
          values[3].get<float>()};
}

inline Quad get_quad(const Json& values) {
  check(values.is_array() && values.size() == 8, ErrorCode::kInvalidArgument,
        "four corners have 8 numbers, this is ", values.dump());
  Quad quad;
  for (size_t i = 0; i < 4; ++i)
    quad[i] = {values[2 * i].get<float>(), values[2 * i + 1].get<float>()};
  return quad;
}

/// Applies `read` to each item of the list `key`; no list reads as an empty one.
template <typename Read>
auto get_list(const Json& json, const char* key, Read read) {
  std::vector<decltype(read(json))> values;
  if (!json.contains(key) || json.at(key).is_null()) return values;
  return within(key, [&] {
    check(json.at(key).is_array(), ErrorCode::kInvalidArgument, "must be a list");
    for (const Json& item : json.at(key)) values.push_back(read(item));
    return std::move(values);
  });
}

/// The enumerator whose to_string() is `name`.
template <typename Enum>
Enum get_enum(const Json& json, const char* key, Enum last) {
  const auto name = get<std::string>(json, key);
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name == to_string(static_cast<Enum>(i))) return static_cast<Enum>(i);
  fail(ErrorCode::kInvalidArgument, key, ": unknown value '", name, "'");
}

}  // namespace prismvid::document
