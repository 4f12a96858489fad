#include "deep/words.h"

#include "core/words.h"

namespace prismvid::deep {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> stems;
  for (Word& word : split_words(text)) stems.push_back(std::move(word.stem));
  return stems;
}

}  // namespace prismvid::deep
