#include <optional>

#include "grammar/token_masks.h"

namespace prismvid::grammar {
namespace {

bool is_space(int byte) {
  return byte == ' ' || byte == '\n';
}

bool continues_character(char byte) {
  return (static_cast<uint8_t>(byte) & 0xC0) == 0x80;
}

// Takes off a character at the end that is not whole.
void trim_to_characters(std::string& text) {
  size_t start = text.size();
  while (start > 0 && continues_character(text[start - 1])) --start;
  if (start == 0) return text.clear();
  const auto lead = static_cast<uint8_t>(text[start - 1]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() - (start - 1) != length) text.erase(start - 1);
}

}  // namespace

std::string Matcher::forced_text(size_t most) {
  Automaton& automaton = masks_->automaton_;
  Spacing spacing = spacing_;
  std::string text;
  int at = state();
  const auto goes_on = [&](int byte) {
    return automaton.next(at, static_cast<uint8_t>(byte)) != Automaton::kDead;
  };
  const auto others_than_space = [&] {  // at most two of them
    std::string found;
    for (int byte = 0; byte < 256 && found.size() < 2; ++byte)
      if (!is_space(byte) && goes_on(byte)) found += static_cast<char>(byte);
    return found;
  };
  while (text.size() < most && !automaton.can_end(at)) {
    const bool is_between = goes_on('\n');
    const std::string others = others_than_space();
    const auto only = others.size() == 1 ? std::optional(others[0]) : std::nullopt;
    std::optional<char> next;
    if (is_between)
      next = spacing.habit() == Spacing::Habit::kSpace  ? ' '
             : spacing.habit() == Spacing::Habit::kNone ? only
                                                        : std::nullopt;
    else if (goes_on(' '))
      next = others.empty() ? std::optional(' ') : std::nullopt;
    else
      next = only;
    if (!next) break;
    text += *next;
    spacing.push(*next, is_between);
    at = automaton.next(at, static_cast<uint8_t>(*next));
  }
  if (!text.empty() && continues_character(text.front())) return {};
  trim_to_characters(text);
  return text;
}

}  // namespace prismvid::grammar
