#include "search/phrases.h"

#include <algorithm>
#include <set>

#include "core/words.h"

namespace prismvid::search {
namespace {

constexpr char kStopWords[] =
    "a an and are as at be by do does for from how in is it of on or that the there this to was "
    "were what when "
    "where which who why with am auf aus das dem den der die ein eine einem einen einer im ist mit "
    "und von was "
    "wer wo zu";

bool says_nothing(const Phrase& phrase) {
  static const std::set<std::string> kStopStems = [] {
    std::set<std::string> stems;
    for (Word& word : split_words(kStopWords)) stems.insert(std::move(word.stem));
    return stems;
  }();
  return std::all_of(phrase.begin(), phrase.end(),
                     [](const std::string& stem) { return kStopStems.contains(stem); });
}

/// Characters that touch belong together: a run of Chinese.
void add_words(std::string_view text, bool quoted, std::vector<Phrase>& phrases) {
  size_t end = std::string_view::npos;
  for (Word& word : split_words(text)) {
    const bool follows = end != std::string_view::npos && (quoted || word.begin == end);
    if (follows)
      phrases.back().push_back(std::move(word.stem));
    else
      phrases.push_back({std::move(word.stem)});
    end = word.end;
  }
}

}  // namespace

std::vector<Phrase> parse_phrases(std::string_view query) {
  std::vector<Phrase> phrases;
  for (bool quoted = false;; quoted = !quoted) {
    const size_t quote = query.find('"');
    add_words(query.substr(0, quote), quoted, phrases);
    if (quote == std::string_view::npos) break;
    query.remove_prefix(quote + 1);
  }
  if (!std::all_of(phrases.begin(), phrases.end(), says_nothing))
    std::erase_if(phrases, says_nothing);
  return phrases;
}

}  // namespace prismvid::search
