#include "deep/facts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "document/json.h"

namespace prismvid::deep {
namespace {

using document::Document;

constexpr size_t kMostLines = 100;  // of one kind
constexpr size_t kMostBytes = 400;  // of one text

bool overlap(const TimeRange& a, const TimeRange& b) {
  return a.start_us < b.end_us && b.start_us < a.end_us;
}

TimeRange shared(const TimeRange& a, const TimeRange& b) {
  return {std::max(a.start_us, b.start_us), std::min(a.end_us, b.end_us)};
}

/// Cut between two characters.
std::string shortened(const std::string& text) {
  if (text.size() <= kMostBytes) return text;
  size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string quoted(const std::string& text) {
  return document::to_text(document::Json(shortened(text)));
}

/// A line about a time; kept in order of it.
struct Line {
  TimeRange range;
  std::string text;
};

void add_lines(std::vector<Line> lines, const char* kind, std::string& out) {
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return a.range.start_us < b.range.start_us;
  });
  if (lines.size() > kMostLines) lines.resize(kMostLines);
  for (const Line& line : lines)
    out += std::string(kind) + " " + seconds_text(line.range.start_us) + "-" +
           seconds_text(line.range.end_us) + ": " + line.text + "\n";
}

std::vector<Line> text_lines(const Document& document, const TimeRange& range) {
  std::vector<Line> lines;
  for (const document::TextElement& text : document.texts)
    for (const document::TextInstance& instance : text.instances)
      if (overlap(instance.range, range))
        lines.push_back({shared(instance.range, range), quoted(text.text)});
  return lines;
}

std::vector<Line> person_lines(const Document& document, const TimeRange& range) {
  std::vector<Line> lines;
  for (const document::Person& person : document.people) {
    if (person.hidden || person.name.empty()) continue;
    for (const document::Instance& instance : person.instances)
      if (overlap(instance.range, range))
        lines.push_back({shared(instance.range, range), one_line(shortened(person.name))});
  }
  return lines;
}

std::string object_line(const Document& document, const TimeRange& range) {
  std::set<std::string> names;
  for (const document::ObjectElement& object : document.objects) {
    const bool seen = std::any_of(object.instances.begin(), object.instances.end(),
                                  [&](const auto& i) { return overlap(i.range, range); });
    if (seen && names.size() < kMostLines) names.insert(one_line(shortened(object.label)));
  }
  std::string line;
  for (const std::string& name : names) line += (line.empty() ? "Objects: " : ", ") + name;
  return line.empty() ? "" : line + "\n";
}

std::vector<Line> said_lines(const Document& document, const TimeRange& range) {
  std::vector<Line> lines;
  if (!document.transcript) return lines;
  for (const document::DocumentSegment& segment : document.transcript->segments)
    if (overlap(segment.range, range))
      lines.push_back({shared(segment.range, range), quoted(segment.text)});
  return lines;
}

}  // namespace

std::string seconds_text(int64_t t_us) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f", std::round(static_cast<double>(t_us) / 1e5) / 10);
  return text;
}

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  // U+0085, U+2028 and U+2029 break lines too.
  for (const char* breaking : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"})
    for (size_t at; (at = line.find(breaking)) != std::string::npos;)
      line.replace(at, std::string_view(breaking).size(), " ");
  return line;
}

std::string caption_lines(const std::vector<Caption>& captions) {
  std::string lines;
  for (const Caption& caption : captions)
    lines += (lines.empty() ? "" : "\n") + seconds_text(caption.range.start_us) + "-" +
             seconds_text(caption.range.end_us) + " " + one_line(caption.text);
  return lines.empty() ? "none" : lines;
}

std::string known_facts(const Document& document, const TimeRange& range,
                        const std::vector<Caption>& captions) {
  std::string facts;
  add_lines(text_lines(document, range), "Text", facts);
  add_lines(person_lines(document, range), "Person", facts);
  facts += object_line(document, range);
  add_lines(said_lines(document, range), "Said", facts);
  std::vector<Line> told;
  for (const Caption& caption : captions) told.push_back({caption.range, one_line(caption.text)});
  add_lines(std::move(told), "Caption", facts);
  if (facts.empty()) return "none";
  facts.pop_back();
  return facts;
}

}  // namespace prismvid::deep
