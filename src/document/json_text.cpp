#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "document/json.h"

namespace prismvid::document {

namespace {

void write_number(double value, std::string& out) {
  if (!std::isfinite(value))
    fail(ErrorCode::kInternal, "a document cannot hold the number ", value);
  if (value == 0) value = 0;  // no "-0"
  char digits[400];           // the longest double without exponent has 309 digits before the point
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed);
  out.append(digits, end.ptr);
}

/// Most texts and all keys are written as they are.
bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

void write_string(const std::string& text, std::string& out) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void new_line(int indent, int depth, std::string& out) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
}

bool is_flat(const Json& json) {
  for (const Json& item : json)
    if (item.is_structured()) return false;
  return true;
}

void write(const Json& json, int indent, int depth, std::string& out) {
  if (json.is_number_float()) return write_number(json.get<double>(), out);
  if (json.is_string()) return write_string(json.get_ref<const std::string&>(), out);
  if (!json.is_structured()) {
    out += json.dump();
    return;
  }
  const char* brackets = json.is_object() ? "{}" : "[]";
  out += brackets[0];
  // Lists of plain values (boxes, ids) stay on one line.
  const int inner = json.is_array() && is_flat(json) ? -1 : indent;
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    if (!first) out += inner < 0 && indent >= 0 ? ", " : ",";
    first = false;
    new_line(inner, depth + 1, out);
    if (json.is_object()) {
      write_string(key, out);
      out += indent < 0 ? ":" : ": ";
    }
    write(value, indent, depth + 1, out);
  }
  if (!json.empty()) new_line(inner, depth, out);
  out += brackets[1];
}

}  // namespace

Json seconds(int64_t t_us) {
  if (t_us % 1'000'000 == 0) return t_us / 1'000'000;
  return static_cast<double>(t_us) / 1e6;
}

int64_t microseconds(const Json& value) {
  check(value.is_number(), ErrorCode::kInvalidArgument, "a time must be a number of seconds, not ",
        value.dump());
  if (value.is_number_integer() && std::abs(value.get<int64_t>()) < 9'000'000'000)
    return value.get<int64_t>() * 1'000'000;
  const double us = value.get<double>() * 1e6;
  // Beyond 2^53 a double no longer holds every microsecond; that is 285 years.
  check(std::abs(us) < 9007199254740992.0, ErrorCode::kInvalidArgument, "a time of ", value.dump(),
        " seconds is out of range");
  return std::llround(us);
}

TimeRange time_range(const Json& item) {
  return {microseconds(item.at("start")), microseconds(item.at("end"))};
}

double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

std::string to_text(const Json& json, int indent) {
  std::string out;
  write(json, indent, 0, out);
  return out;
}

const char* to_string(StageStatus status) {
  switch (status) {
    case StageStatus::kQueued:
      return "queued";
    case StageStatus::kRunning:
      return "running";
    case StageStatus::kDone:
      return "done";
    case StageStatus::kCached:
      return "cached";
    case StageStatus::kSkipped:
      return "skipped";
    case StageStatus::kUnavailable:
      return "unavailable";
    case StageStatus::kFailed:
      return "failed";
    case StageStatus::kCancelled:
      return "cancelled";
  }
  return "failed";
}

const char* to_string(TransitionKind kind) {
  switch (kind) {
    case TransitionKind::kStart:
      return "start";
    case TransitionKind::kCut:
      return "cut";
    case TransitionKind::kDissolve:
      return "dissolve";
    case TransitionKind::kFade:
      return "fade";
    case TransitionKind::kWipe:
      return "wipe";
    case TransitionKind::kOther:
      return "other";
  }
  return "other";
}

const char* to_string(MarkerKind kind) {
  switch (kind) {
    case MarkerKind::kBlack:
      return "black";
    case MarkerKind::kFreeze:
      return "freeze";
  }
  return "black";
}

const char* to_string(TextRole role) {
  switch (role) {
    case TextRole::kSubtitle:
      return "subtitle";
    case TextRole::kOverlay:
      return "overlay";
    case TextRole::kScene:
      return "scene";
    case TextRole::kCredits:
      return "credits";
    case TextRole::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* to_string(TranscriptOrigin origin) {
  switch (origin) {
    case TranscriptOrigin::kEmbeddedSubtitles:
      return "embedded_subtitles";
    case TranscriptOrigin::kSidecar:
      return "sidecar";
  }
  return "sidecar";
}

}  // namespace prismvid::document
