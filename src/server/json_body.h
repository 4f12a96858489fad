#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "server/http.h"

// Reading JSON bodies; whatever is wrong throws HttpError 400 that names the key.
namespace prismvid::server {

using BodyJson = nlohmann::ordered_json;

/// An object with no other keys than `known`.
BodyJson parse_object(const std::string& body, std::initializer_list<const char*> known);
void allow_keys(const BodyJson& object, const std::string& where,
                std::initializer_list<const char*> known);

[[noreturn]] void wrong_key(const std::string& key, const std::string& wanted);

/// nullopt where the key is missing or null.
std::optional<std::string> string_key(const BodyJson& object, const char* key);
std::optional<double> number_key(const BodyJson& object, const char* key);
std::optional<int64_t> integer_key(const BodyJson& object, const char* key, int64_t least,
                                   int64_t most);
std::optional<bool> flag_key(const BodyJson& object, const char* key);
std::string required_string(const BodyJson& object, const char* key);

}  // namespace prismvid::server
