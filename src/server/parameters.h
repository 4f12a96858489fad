#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/media_time.h"
#include "server/http.h"

// Reading query parameters; whatever is wrong throws HttpError 400 that names the parameter.
namespace prismvid::server {

int64_t integer_parameter(const Request& request, const std::string& name, int64_t fallback,
                          int64_t least, int64_t most);

/// Seconds as a number, in microseconds.
std::optional<int64_t> time_parameter(const Request& request, const std::string& name);

/// `from` and `to`, an open end being the largest time.
TimeRange range_parameter(const Request& request, const char* from, const char* to);

/// "a,b,c"; empty where it is not given. Values must be among `known` unless that is empty.
std::set<std::string> list_parameter(const Request& request, const std::string& name,
                                     const std::vector<std::string>& known = {});

}  // namespace prismvid::server
