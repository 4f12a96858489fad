#include "server/router.h"

#include <optional>
#include <set>
#include <string_view>

namespace prismvid::server {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const size_t end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

/// "{keyframe}.jpg" takes "k_1.jpg".
bool match_segment(std::string_view pattern, std::string_view text,
                   std::map<std::string, std::string>& values) {
  if (!pattern.starts_with('{')) return pattern == text;
  const size_t close = pattern.find('}');
  const std::string_view ending = pattern.substr(close + 1);
  if (!text.ends_with(ending) || text.size() == ending.size()) return false;
  values[std::string(pattern.substr(1, close - 1))] = text.substr(0, text.size() - ending.size());
  return true;
}

std::optional<std::map<std::string, std::string>> match(
    std::string_view pattern, const std::vector<std::string_view>& path) {
  const auto wanted = segments(pattern);
  std::map<std::string, std::string> values;
  if (wanted.size() != path.size()) return std::nullopt;
  for (size_t i = 0; i < path.size(); ++i)
    if (!match_segment(wanted[i], path[i], values)) return std::nullopt;
  return values;
}

}  // namespace

const char* to_string(Scope scope) {
  switch (scope) {
    case Scope::kNone: return "none";
    case Scope::kRead: return "read";
    case Scope::kWrite: return "write";
    case Scope::kAdmin: return "admin";
  }
  return "admin";
}

const Route& Router::find(Request& request) const {
  std::string allowed;
  if (request.path.starts_with('/')) {
    const auto path = segments(request.path);
    for (const Route& route : routes_) {
      auto values = match(route.pattern, path);
      if (!values) continue;
      if (route.method == request.method) {
        request.path_values = std::move(*values);
        return route;
      }
      allowed += (allowed.empty() ? "" : ", ") + route.method;
    }
  }
  if (!allowed.empty())
    throw HttpError(405, "method_not_allowed",
                    request.method + " does not work here: use " + allowed, {{"Allow", allowed}});
  throw HttpError(404, "no_such_path",
                  "there is nothing at '" + request.path + "': /openapi.json lists what there is");
}

}  // namespace prismvid::server
