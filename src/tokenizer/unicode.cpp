#include "tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "core/error.h"

namespace prismvid::tokenizer {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// kLetters, kNumbers and kMarks, sorted; made by tools/make_unicode_table.py.
#include "tokenizer/unicode_ranges.inc"

template <size_t N>
bool contains(const Range (&ranges)[N], char32_t c) {
  const auto after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                      [](char32_t v, const Range& r) { return v < r.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

// What the lead byte announces: the length, and the bounds of the second byte (Unicode, table 3-7).
struct Lead {
  int length = 0;  // 0: cannot start a character
  uint8_t second_low = 0x80;
  uint8_t second_high = 0xBF;
};

Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// The longest beginning at `position` of a well-formed character, and whether it is whole.
struct Prefix {
  size_t length = 0;
  bool complete = false;
};

Prefix well_formed_prefix(std::string_view text, size_t position) {
  const Lead lead = lead_of(static_cast<uint8_t>(text[position]));
  if (lead.length == 0) return {0, false};
  size_t length = 1;
  while (length < static_cast<size_t>(lead.length) && position + length < text.size()) {
    const auto byte = static_cast<uint8_t>(text[position + length]);
    const uint8_t low = length == 1 ? lead.second_low : 0x80;
    const uint8_t high = length == 1 ? lead.second_high : 0xBF;
    if (byte < low || byte > high) break;
    ++length;
  }
  return {length, length == static_cast<size_t>(lead.length)};
}

// A mark of a newer Unicode version than the reference normalises with: to it, an ordinary
// character.
bool is_newer_mark(char32_t c) {
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  return property->combining_class != 0 && !contains(kMarks, c);
}

std::string normalize_stretch(std::string_view text) {
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (ascii) return std::string(text);
  utf8proc_uint8_t* result = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &result, options);
  check(length >= 0, ErrorCode::kInvalidArgument,
        "cannot normalise the text: ", utf8proc_errmsg(length));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  return {reinterpret_cast<const char*>(result), static_cast<size_t>(length)};
}

}  // namespace

CodePoint code_point_at(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) {
    return static_cast<char32_t>(static_cast<uint8_t>(text[position + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F),
          4};
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  return contains(kLetters, c);
}

bool is_number(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return contains(kNumbers, c);
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::optional<size_t> first_invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const Prefix prefix = well_formed_prefix(text, i);
    if (!prefix.complete) return i;
    i += prefix.length;
  }
  return std::nullopt;
}

std::string normalize_nfc(std::string_view text) {
  std::string normalized;
  size_t start = 0;
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    const size_t next = i + static_cast<size_t>(c.length);
    if (c.value >= 0x300 && is_newer_mark(c.value)) {
      normalized += normalize_stretch(text.substr(start, i - start));
      normalized += text.substr(i, next - i);
      start = next;
    }
    i = next;
  }
  return normalized + normalize_stretch(text.substr(start));
}

void append_utf8(std::string& text, char32_t c) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

size_t incomplete_utf8_tail(std::string_view bytes) {
  for (size_t back = 1; back <= std::min<size_t>(3, bytes.size()); ++back) {
    const size_t start = bytes.size() - back;
    const auto byte = static_cast<uint8_t>(bytes[start]);
    if (byte >= 0x80 && byte < 0xC0) continue;
    const Prefix prefix = well_formed_prefix(bytes, start);
    return !prefix.complete && prefix.length == back ? back : 0;
  }
  return 0;
}

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    const Prefix prefix = well_formed_prefix(bytes, i);
    if (prefix.complete)
      text.append(bytes.substr(i, prefix.length));
    else
      text.append("\xEF\xBF\xBD");
    i += std::max<size_t>(1, prefix.length);
  }
  return text;
}

}  // namespace prismvid::tokenizer
