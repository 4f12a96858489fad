#include "media/subtitles.h"

#include <algorithm>
#include <cctype>

#include "media/subtitle_text.h"

namespace prismvid::media {
namespace {

constexpr int64_t kLongestUs = int64_t{1000} * 3600 * 1000000;  // a thousand hours

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
}

std::optional<int64_t> take_number(std::string_view& text) {
  size_t digits = 0;
  int64_t value = 0;
  for (; digits < text.size() && digits < 9 && is_digit(text[digits]); ++digits)
    value = value * 10 + (text[digits] - '0');
  text.remove_prefix(digits);
  return digits > 0 ? std::optional(value) : std::nullopt;
}

// "1:02:03,456", "02:03.4" and the like, from the front of `text`.
std::optional<int64_t> take_time(std::string_view& text) {
  int64_t seconds = 0;
  for (int fields = 0; fields < 3; ++fields) {
    const auto number = take_number(text);
    if (!number || (fields > 0 && *number > 99)) return std::nullopt;
    seconds = seconds * 60 + *number;
    if (text.empty() || text[0] != ':') {
      if (fields == 0) return std::nullopt;
      break;
    }
    text.remove_prefix(1);
  }
  int64_t us = 0, unit = 100000;
  if (!text.empty() && (text[0] == ',' || text[0] == '.')) {
    text.remove_prefix(1);
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), unit /= 10)
      us += unit * (text[0] - '0');
  }
  return seconds * 1000000 + us;
}

// A cue's timing line: "START --> END", settings behind it are ignored.
std::optional<TimeRange> timing(std::string_view line) {
  skip_blanks(line);
  const auto start = take_time(line);
  if (!start) return std::nullopt;
  skip_blanks(line);
  if (line.substr(0, 3) != "-->") return std::nullopt;
  line.remove_prefix(3);
  skip_blanks(line);
  const auto end = take_time(line);
  if (!end || *end <= *start || *end > kLongestUs) return std::nullopt;
  return TimeRange{*start, *end};
}

std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

// The speaker of WebVTT's "<v Name>text", empty when none is named.
std::string speaker_of(std::string_view text) {
  const size_t tag = text.find("<v");
  if (tag == std::string_view::npos || tag + 2 >= text.size() ||
      (text[tag + 2] != ' ' && text[tag + 2] != '.'))
    return "";
  const size_t name = text.find(' ', tag), end = text.find('>', tag);
  if (end == std::string_view::npos || name > end) return "";
  return plain_cue_text(text.substr(name, end - name));
}

// A cue's lines, up to a blank line or, where that was forgotten, the next cue's timing line and
// its number.
std::string take_cue_text(std::string_view& rest) {
  std::string text;
  while (!rest.empty()) {
    std::string_view after = rest;
    const std::string_view line = take_line(after);
    if (is_blank(line)) break;
    std::string_view peek = after;
    const bool number_of_next =
        std::all_of(line.begin(), line.end(), is_digit) && timing(take_line(peek));
    if (number_of_next || timing(line)) break;
    text.append(line).append("\n");
    rest = after;
  }
  return text;
}

}  // namespace

std::vector<TranscriptSegment> parse_subtitles(std::string_view bytes) {
  const std::string text = to_utf8(bytes);
  std::string_view rest = text;
  std::vector<TranscriptSegment> segments;
  while (!rest.empty()) {
    const auto range = timing(take_line(rest));  // numbers, headers, notes and styles have no arrow
    if (!range) continue;
    const std::string cue = take_cue_text(rest);
    std::string plain = plain_cue_text(cue);
    if (!plain.empty()) segments.push_back({*range, std::move(plain), speaker_of(cue)});
  }
  std::stable_sort(segments.begin(), segments.end(),
                   [](const TranscriptSegment& a, const TranscriptSegment& b) {
                     return a.range.start_us < b.range.start_us;
                   });
  return segments;
}

}  // namespace prismvid::media
