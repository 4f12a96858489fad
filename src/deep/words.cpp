#include "deep/words.h"

#include <cctype>

namespace prismvid::deep {
namespace {

void add_word(std::string& word, std::vector<std::string>& words) {
  if (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss")) word.pop_back();
  if (!word.empty()) words.push_back(std::move(word));
  word.clear();
}

/// Bytes of the character that starts with `lead`.
size_t length_of(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = length_of(lead);
    if (length >= 3) {  // Chinese, Japanese, Korean, Thai, emoji
      add_word(word, words);
      words.emplace_back(text.substr(i, length));
    } else if (length == 2) {
      word += text.substr(i, length);
    } else if (std::isalnum(lead)) {
      word += static_cast<char>(std::tolower(lead));
    } else {
      add_word(word, words);
    }
    i += length;
  }
  add_word(word, words);
  return words;
}

}  // namespace prismvid::deep
