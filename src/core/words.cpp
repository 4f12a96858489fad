#include "core/words.h"

#include <libstemmer.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace prismvid {
namespace {

struct FreeStemmer {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

/// Porter's second algorithm. A stemmer keeps a buffer, so that each thread has its own.
std::string stem(const std::string& word) {
  thread_local const std::unique_ptr<sb_stemmer, FreeStemmer> stemmer(
      sb_stemmer_new("english", nullptr));
  const sb_symbol* stemmed =
      sb_stemmer_stem(stemmer.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                      static_cast<int>(word.size()));
  if (!stemmed) return word;
  return {reinterpret_cast<const char*>(stemmed),
          static_cast<size_t>(sb_stemmer_length(stemmer.get()))};
}

/// Compatibility forms, case and accents off.
std::string folded(std::string_view word) {
  utf8proc_uint8_t* out = nullptr;
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE |
                                     UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(word.data()),
                                   static_cast<utf8proc_ssize_t>(word.size()), &out, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, std::free);
  if (length <= 0) return {};
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(length)};
}

bool is_word_character(utf8proc_int32_t c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/// Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean.
bool stands_alone(utf8proc_int32_t c) {
  return (c >= 0x0E00 && c < 0x0F00) || (c >= 0x1000 && c < 0x10A0) ||
         (c >= 0x1780 && c < 0x1800) || (c >= 0x3040 && c < 0x3100) ||
         (c >= 0x3400 && c < 0xA000) || (c >= 0xAC00 && c < 0xD7B0) ||
         (c >= 0xF900 && c < 0xFB00) || (c >= 0x20000 && c < 0x40000);
}

bool is_ascii(const std::string& word) {
  return std::all_of(word.begin(), word.end(), [](unsigned char c) { return c < 0x80; });
}

void add_word(std::string_view text, size_t begin, size_t end, std::vector<Word>& words) {
  if (begin == end) return;
  std::string word = folded(text.substr(begin, end - begin));
  if (is_ascii(word)) word = stem(word);
  if (!word.empty()) words.push_back({std::move(word), begin, end});
}

}  // namespace

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t c = -1;
    const auto length =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &c);
    const size_t next = i + (length > 0 ? static_cast<size_t>(length) : 1);
    if (length <= 0 || !is_word_character(c)) {
      add_word(text, begin, i, words);
      begin = next;
    } else if (stands_alone(c)) {
      add_word(text, begin, i, words);
      add_word(text, i, next, words);
      begin = next;
    }
    i = next;
  }
  add_word(text, begin, text.size(), words);
  return words;
}

}  // namespace prismvid
