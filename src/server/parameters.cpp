#include "server/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace prismvid::server {
namespace {

constexpr double kMostSeconds = 1e9;

HttpError wrong(const std::string& name, const std::string& text, const std::string& wanted) {
  return HttpError(400, "invalid_parameter", name + "=" + text + ": must be " + wanted);
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

int64_t integer_parameter(const Request& request, const std::string& name, int64_t fallback,
                          int64_t least, int64_t most) {
  const auto text = request.parameter(name);
  if (!text) return fallback;
  int64_t value = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = result.ec == std::errc() && result.ptr == text->data() + text->size();
  if (!whole || value < least || value > most)
    throw wrong(name, *text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

std::optional<int64_t> time_parameter(const Request& request, const std::string& name) {
  const auto text = request.parameter(name);
  if (!text) return std::nullopt;
  double seconds = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), seconds);
  const bool whole = result.ec == std::errc() && result.ptr == text->data() + text->size();
  if (!whole || !std::isfinite(seconds) || seconds < 0 || seconds > kMostSeconds)
    throw wrong(name, *text, "seconds, for example 12.5");
  return std::llround(seconds * 1e6);
}

TimeRange range_parameter(const Request& request, const char* from, const char* to) {
  const TimeRange range{time_parameter(request, from).value_or(0),
                        time_parameter(request, to).value_or(INT64_MAX)};
  if (range.end_us <= range.start_us)
    throw HttpError(400, "invalid_parameter",
                    std::string(to) + " must be later than " + from);
  return range;
}

std::set<std::string> list_parameter(const Request& request, const std::string& name,
                                     const std::vector<std::string>& known) {
  std::set<std::string> values;
  const std::string text = request.parameter(name).value_or("");
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    const std::string value = text.substr(start, end - start);
    if (!known.empty() && std::find(known.begin(), known.end(), value) == known.end())
      throw wrong(name, value, "from " + join(known));
    values.insert(value);
    start = end + 1;
  }
  return values;
}

}  // namespace prismvid::server
