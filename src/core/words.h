#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace prismvid {

/// A word of a text, as texts are compared by it, and where it stands.
struct Word {
  std::string stem;  // lower case, without accents, English endings off; UTF-8
  size_t begin = 0;  // bytes of the text
  size_t end = 0;    // exclusive
};

/// The words of a text (UTF-8; broken bytes separate words). Each character of scripts that write
/// without spaces is a word. Two texts with a word in common have a stem in common. Thread-safe.
std::vector<Word> split_words(std::string_view text);

}  // namespace prismvid
