#include "grammar/code_points.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace prismvid::grammar {
namespace {

struct Utf8 {
  std::array<uint8_t, 4> bytes{};
  int length = 0;
};

Utf8 encode(char32_t c) {
  const auto tail = [&](int shift) { return static_cast<uint8_t>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {{static_cast<uint8_t>(c)}, 1};
  if (c < 0x800) return {{static_cast<uint8_t>(0xC0 | c >> 6), tail(0)}, 2};
  if (c < 0x10000) return {{static_cast<uint8_t>(0xE0 | c >> 12), tail(6), tail(0)}, 3};
  return {{static_cast<uint8_t>(0xF0 | c >> 18), tail(12), tail(6), tail(0)}, 4};
}

// A range whose code points differ only in whole trailing bytes becomes one path; others are cut.
void add_utf8(Network& network, int from, char32_t low, char32_t high, int to) {
  for (const char32_t last : {0x7Fu, 0x7FFu, 0xFFFFu})
    if (low <= last && last < high) {
      add_utf8(network, from, low, last, to);
      return add_utf8(network, from, last + 1, high, to);
    }
  for (int shift = 6; shift <= 18; shift += 6) {
    const char32_t mask = (char32_t{1} << shift) - 1;
    if ((low & ~mask) == (high & ~mask)) break;
    if ((low & mask) != 0) {
      add_utf8(network, from, low, low | mask, to);
      return add_utf8(network, from, (low | mask) + 1, high, to);
    }
    if ((high & mask) != mask) {
      add_utf8(network, from, low, (high & ~mask) - 1, to);
      return add_utf8(network, from, high & ~mask, high, to);
    }
  }
  const Utf8 first = encode(low), last = encode(high);
  for (int i = 0; i < first.length; ++i) {
    const int next = i + 1 == first.length ? to : network.add_state();
    network.add_bytes(from, first.bytes[i], last.bytes[i], next);
    from = next;
  }
}

bool needs_escape(char32_t c) {
  return c < 0x20 || c == '"' || c == '\\';
}

const char kHex[] = "0123456789abcdef";

std::string escape(char32_t c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return std::string("\\u00") + kHex[c >> 4] + kHex[c & 15];
  }
}

const CodePointSet& escaped_set() {
  static const CodePointSet set{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  return set;
}

}  // namespace

CodePointSet normalized(std::vector<CodePointRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.low < b.low; });
  CodePointSet joined;
  for (const CodePointRange& range : ranges) {
    if (range.low > range.high) continue;
    if (!joined.empty() && range.low <= joined.back().high + 1)
      joined.back().high = std::max(joined.back().high, range.high);
    else
      joined.push_back(range);
  }
  return intersection(joined, {{0, 0xD7FF}, {0xE000, kLastCodePoint}});
}

CodePointSet complement(const CodePointSet& set) {
  std::vector<CodePointRange> rest;
  char32_t next = 0;
  for (const CodePointRange& range : set) {
    if (range.low > next) rest.push_back({next, range.low - 1});
    next = range.high + 1;
  }
  if (next <= kLastCodePoint) rest.push_back({next, kLastCodePoint});
  return normalized(std::move(rest));
}

CodePointSet intersection(const CodePointSet& a, const CodePointSet& b) {
  CodePointSet both;
  for (const CodePointRange& x : a)
    for (const CodePointRange& y : b) {
      const char32_t low = std::max(x.low, y.low), high = std::min(x.high, y.high);
      if (low <= high) both.push_back({low, high});
    }
  std::sort(both.begin(), both.end(), [](const auto& x, const auto& y) { return x.low < y.low; });
  return both;
}

void add_code_points(Network& network, int from, const CodePointSet& set, Writing writing, int to) {
  if (writing == Writing::kPlain) {
    for (const CodePointRange& range : set) add_utf8(network, from, range.low, range.high, to);
    return;
  }
  for (const CodePointRange& range : intersection(set, complement(escaped_set())))
    add_utf8(network, from, range.low, range.high, to);
  for (const CodePointRange& range : intersection(set, escaped_set()))
    for (char32_t c = range.low; c <= range.high; ++c)
      network.add_empty(network.add_text(from, escape(c)), to);
}

std::u32string to_code_points(std::string_view text) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) {
      return at < text.size() ? static_cast<uint8_t>(text[at]) : uint8_t{0};
    };
    const uint8_t first = byte(i);
    const int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? first : first & (0x7F >> length);
    for (int k = 1; k < length; ++k) c = c << 6 | (byte(i + k) & 0x3F);
    const Utf8 again = c <= kLastCodePoint ? encode(c) : Utf8{};
    const bool same = again.length == length && i + length <= text.size() &&
                      std::equal(again.bytes.begin(), again.bytes.begin() + length,
                                 reinterpret_cast<const uint8_t*>(text.data()) + i);
    check(same && (c < 0xD800 || c > 0xDFFF), ErrorCode::kInvalidArgument,
          "the text is not well-formed UTF-8 at byte ", i);
    result.push_back(c);
    i += length;
  }
  return result;
}

std::string json_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto value = static_cast<uint8_t>(c);
    if (needs_escape(value))
      result += escape(value);
    else
      result += c;
  }
  return result;
}

}  // namespace prismvid::grammar
