#include "media/subtitle_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace prismvid::media {
namespace {

void append_utf8(std::string& text, uint32_t c) {
  auto byte = [&](uint32_t value) { text += static_cast<char>(value); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F));
  if (c < 0x10000)
    return byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
  byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)),
      byte(0x80 | (c & 0x3F));
}

// Length of the well-formed UTF-8 sequence at the front, 0 when there is none (Unicode table 3-7).
size_t utf8_length(std::string_view s) {
  auto at = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : uint8_t{0}; };
  const uint8_t a = at(0), b = at(1);
  auto tail = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    const bool second = b >= (a == 0xE0 ? 0xA0 : 0x80) && b <= (a == 0xED ? 0x9F : 0xBF);
    return second && tail(2) ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    const bool second = b >= (a == 0xF0 ? 0x90 : 0x80) && b <= (a == 0xF4 ? 0x8F : 0xBF);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string from_utf16(std::string_view bytes, bool big_endian) {
  std::string text;
  auto unit = [&](size_t i) -> uint32_t {
    const auto first = static_cast<uint8_t>(bytes[i]), second = static_cast<uint8_t>(bytes[i + 1]);
    return big_endian ? uint32_t{first} << 8 | second : uint32_t{second} << 8 | first;
  };
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint32_t c = unit(i);
    if (c >= 0xD800 && c < 0xDC00 && i + 3 < bytes.size() && unit(i + 2) >= 0xDC00 &&
        unit(i + 2) < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    } else if (c >= 0xD800 && c < 0xE000) {
      c = 0xFFFD;
    }
    append_utf8(text, c);
  }
  return text;
}

std::string from_windows_1252(std::string_view bytes) {
  // 0x80..0x9F; 0xFFFD where the code page has nothing.
  constexpr std::array<uint16_t, 32> kUpper = {
      0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  std::string text;
  for (const char ch : bytes) {
    const auto c = static_cast<uint8_t>(ch);
    append_utf8(text, c >= 0x80 && c < 0xA0 ? kUpper[c - 0x80u] : c);
  }
  return text;
}

std::string with_plain_line_ends(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') continue;
    if (text[i] != '\r') {
      result += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      result += '\n';
    }
  }
  return result;
}

// The entity at the front of `text` and its length, length 0 when it is none of WebVTT's.
std::pair<std::string_view, size_t> entity(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", " "}, {"&lrm;", ""}, {"&rlm;", ""}};
  for (const auto& [name, value] : kEntities)
    if (text.substr(0, name.size()) == name) return {value, name.size()};
  return {"", 0};
}

// A tag starts with a letter, a slash or, in WebVTT, a time: "a < b" is text.
bool starts_tag(std::string_view text) {
  if (text.size() < 2) return false;
  const char c = text[1];
  return c == '/' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Bytes to skip at the front of `text`: a tag or an override, 0 when it is text.
size_t markup_length(std::string_view text) {
  const bool tag = text[0] == '<' && starts_tag(text);
  const bool override_block = text[0] == '{' && text.size() > 1 && text[1] == '\\';
  if (!tag && !override_block) return 0;
  const size_t end = text.find(tag ? '>' : '}');
  return end == std::string_view::npos ? 0 : end + 1;
}

std::string trimmed_lines(const std::string& text) {
  std::string result;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const size_t first = text.find_first_not_of(" \t", start);
    if (first < end) {
      const size_t last = text.find_last_not_of(" \t", end - 1);
      if (!result.empty()) result += '\n';
      result.append(text, first, last - first + 1);
    }
    start = end + 1;
  }
  return result;
}

}  // namespace

std::string to_utf8(std::string_view bytes) {
  auto starts_with = [&](std::string_view mark) { return bytes.substr(0, mark.size()) == mark; };
  if (starts_with("\xFF\xFE")) return with_plain_line_ends(from_utf16(bytes.substr(2), false));
  if (starts_with("\xFE\xFF")) return with_plain_line_ends(from_utf16(bytes.substr(2), true));
  if (starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  return with_plain_line_ends(is_utf8(bytes) ? std::string(bytes) : from_windows_1252(bytes));
}

std::string plain_cue_text(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    size_t used = markup_length(text);
    if (used == 0 && text[0] == '&') {
      const auto [value, length] = entity(text);
      plain += value;
      used = length;
    }
    if (used == 0 && text[0] == '\\' && text.size() > 1 &&
        (text[1] == 'N' || text[1] == 'n' || text[1] == 'h')) {
      plain += text[1] == 'h' ? ' ' : '\n';
      used = 2;
    }
    if (used == 0) {
      plain += text[0];
      used = 1;
    }
    text.remove_prefix(used);
  }
  return trimmed_lines(plain);
}

}  // namespace prismvid::media
