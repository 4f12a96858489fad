#include "tokenizer/pre_tokenizer.h"

#include "tokenizer/unicode.h"

namespace prismvid::tokenizer {
namespace {

enum class Kind { kEnd, kLetter, kNumber, kSpace, kOther };

struct Character {
  Kind kind = Kind::kEnd;
  char32_t value = 0;
  size_t next = 0;  // offset of the character after this one

  bool is_newline() const { return value == '\r' || value == '\n'; }
};

Character read(std::string_view text, size_t position) {
  if (position >= text.size()) return {Kind::kEnd, 0, position};
  const CodePoint c = code_point_at(text, position);
  const Kind kind = is_letter(c.value)   ? Kind::kLetter
                    : is_number(c.value) ? Kind::kNumber
                    : is_space(c.value)  ? Kind::kSpace
                                         : Kind::kOther;
  return {kind, c.value, position + static_cast<size_t>(c.length)};
}

size_t skip(std::string_view text, size_t position, Kind kind) {
  for (Character c = read(text, position); c.kind == kind; c = read(text, position))
    position = c.next;
  return position;
}

size_t skip_newlines(std::string_view text, size_t position) {
  while (position < text.size() && (text[position] == '\r' || text[position] == '\n')) ++position;
  return position;
}

// End of 's 't 're 've 'm 'll 'd behind an apostrophe, or `position`. U+017F folds to s.
size_t contraction_end(std::string_view text, size_t position) {
  const Character first = read(text, position);
  const auto lower = [](const Character& c) -> char32_t {
    if (c.value == 0x17F) return U's';
    return c.value >= 'A' && c.value <= 'Z' ? c.value + 32 : c.value;
  };
  switch (lower(first)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return first.next;
    case 'r':
    case 'v':
    case 'l': {
      const Character second = read(text, first.next);
      return lower(second) == (lower(first) == 'l' ? U'l' : U'e') ? second.next : position;
    }
    default:
      return position;
  }
}

// A run of white space: up to its last newline; else all but the character that leads the next
// word.
size_t space_end(std::string_view text, size_t start) {
  size_t end = start, last = start, after_newline = start;
  for (Character c = read(text, end); c.kind == Kind::kSpace; c = read(text, end)) {
    last = end;
    end = c.next;
    if (c.is_newline()) after_newline = end;
  }
  if (after_newline > start) return after_newline;
  return end == text.size() || last == start ? end : last;
}

size_t piece_end(std::string_view text, size_t start) {
  const Character c = read(text, start);
  if (c.value == '\'') {
    const size_t end = contraction_end(text, c.next);
    if (end > c.next) return end;
  }
  if (c.kind == Kind::kLetter) return skip(text, c.next, Kind::kLetter);
  if (c.kind == Kind::kNumber) return c.next;
  const Character next = read(text, c.next);
  if (!c.is_newline() && next.kind == Kind::kLetter) return skip(text, next.next, Kind::kLetter);
  if (c.kind == Kind::kOther || (c.value == ' ' && next.kind == Kind::kOther))
    return skip_newlines(text, skip(text, c.next, Kind::kOther));
  return space_end(text, start);
}

}  // namespace

std::vector<std::string_view> pre_tokenize(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (size_t start = 0; start < text.size();) {
    const size_t end = piece_end(text, start);
    pieces.push_back(text.substr(start, end - start));
    start = end;
  }
  return pieces;
}

}  // namespace prismvid::tokenizer
