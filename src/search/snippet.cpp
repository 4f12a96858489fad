#include "search/snippet.h"

#include <algorithm>
#include <set>

#include "core/words.h"

namespace prismvid::search {
namespace {

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Moves forward over at most `count` characters.
size_t advance(std::string_view text, size_t at, size_t count) {
  while (at < text.size() && count > 0) {
    do ++at;
    while (at < text.size() && continues_character(text[at]));
    --count;
  }
  return at;
}

size_t retreat(std::string_view text, size_t at, size_t count) {
  while (at > 0 && count > 0) {
    do --at;
    while (at > 0 && continues_character(text[at]));
    --count;
  }
  return at;
}

/// To the start of the next word, so that no word is cut.
size_t next_word(std::string_view text, size_t at, size_t most) {
  const size_t space = text.find_first_of(" \n\t", at);
  return space != std::string_view::npos && space < most ? space + 1 : at;
}

size_t word_before(std::string_view text, size_t at, size_t least) {
  const size_t space = text.find_last_of(" \n\t", at);
  return space != std::string_view::npos && space > least ? space : at;
}

std::set<std::string> stems_of(const std::vector<Phrase>& phrases) {
  std::set<std::string> stems;
  for (const Phrase& phrase : phrases) stems.insert(phrase.begin(), phrase.end());
  return stems;
}

}  // namespace

Snippet snippet_of(std::string_view text, const std::vector<Phrase>& phrases, size_t characters) {
  const std::set<std::string> wanted = stems_of(phrases);
  std::vector<Word> words = split_words(text);
  std::erase_if(words, [&](const Word& word) { return !wanted.contains(word.stem); });
  size_t begin = 0;
  size_t end = advance(text, 0, characters);
  if (!words.empty() && words.front().end > end) {
    begin =
        next_word(text, retreat(text, words.front().begin, characters / 4), words.front().begin);
    end = advance(text, begin, characters);
  }
  if (end < text.size()) end = word_before(text, end, words.empty() ? begin : words.front().end);
  Snippet snippet;
  for (const Word& word : words) {
    std::string match(text.substr(word.begin, word.end - word.begin));
    if (word.begin >= begin && word.end <= end &&
        std::find(snippet.matches.begin(), snippet.matches.end(), match) == snippet.matches.end())
      snippet.matches.push_back(std::move(match));
  }
  snippet.text = std::string(begin > 0 ? "…" : "") + std::string(text.substr(begin, end - begin)) +
                 (end < text.size() ? "…" : "");
  std::replace_if(
      snippet.text.begin(), snippet.text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return snippet;
}

}  // namespace prismvid::search
