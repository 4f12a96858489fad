#include "search/word_piece.h"

#include <utf8proc.h>

#include <fstream>

#include "core/error.h"

namespace prismvid::search {
namespace {

constexpr size_t kLongestWord = 100;  // characters; longer ones are unknown

using Character = utf8proc_int32_t;

bool is_space(Character c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
         utf8proc_category(c) == UTF8PROC_CATEGORY_ZS;
}

/// Not of any use in text: controls, formats, private and unassigned characters.
bool is_control(Character c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO;
}

/// Also the ASCII characters between letters and digits that Unicode calls symbols.
bool is_punctuation(Character c) {
  if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
      (c >= 123 && c <= 126))
    return true;
  const utf8proc_category_t category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_chinese(Character c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

std::string utf8(Character c) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(c, bytes);
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(length)};
}

/// The character in lower case without its accents, in order of its canonical decomposition.
std::string plain(Character c) {
  Character parts[16];
  int boundary = 0;
  const auto count = utf8proc_decompose_char(c, parts, 16, UTF8PROC_DECOMPOSE, &boundary);
  std::string text;
  for (utf8proc_ssize_t i = 0; i < count && i < 16; ++i)
    if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN)
      text += utf8(utf8proc_tolower(parts[i]));
  return text;
}

/// Words of a text as the vocabulary spells them.
class Splitter {
 public:
  std::vector<std::string> split(std::string_view text) {
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    for (size_t i = 0; i < text.size();) {
      Character c = 0;
      const auto length =
          utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &c);
      i += length > 0 ? static_cast<size_t>(length) : 1;
      if (length > 0) add(c);
    }
    end_word();
    return std::move(words_);
  }

 private:
  void add(Character c) {
    if (is_space(c)) return end_word();
    if (c == 0 || c == 0xFFFD || is_control(c)) return;
    if (is_punctuation(c) || is_chinese(c)) {
      end_word();
      words_.push_back(plain(c));
    } else {
      word_ += plain(c);
    }
  }

  void end_word() {
    if (!word_.empty()) words_.push_back(std::move(word_));
    word_.clear();
  }

  std::string word_;
  std::vector<std::string> words_;
};

bool starts_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

size_t character_count(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += starts_character(byte);
  return count;
}

}  // namespace

WordPiece::WordPiece(const std::filesystem::path& vocabulary) {
  std::ifstream lines(vocabulary, std::ios::binary);
  int64_t id = 0;
  for (std::string line; std::getline(lines, line); ++id) {
    if (line.ends_with('\r')) line.pop_back();
    pieces_.emplace(std::move(line), id);
  }
  unknown_ = special("[UNK]", vocabulary);
  begin_ = special("[CLS]", vocabulary);
  end_ = special("[SEP]", vocabulary);
}

int64_t WordPiece::special(const char* token, const std::filesystem::path& file) const {
  const auto found = pieces_.find(std::string_view(token));
  check(found != pieces_.end(), ErrorCode::kModel, "'", file.string(),
        "' is no vocabulary of WordPiece: it has no ", token);
  return found->second;
}

std::vector<int64_t> WordPiece::encode(std::string_view text, size_t most_tokens) const {
  std::vector<int64_t> ids{begin_};
  for (const std::string& word : Splitter().split(text)) {
    add_pieces(word, ids);
    if (ids.size() >= most_tokens) break;
  }
  if (ids.size() >= most_tokens) ids.resize(most_tokens - 1);
  ids.push_back(end_);
  return ids;
}

void WordPiece::add_pieces(std::string_view word, std::vector<int64_t>& ids) const {
  const size_t before = ids.size();
  bool known = character_count(word) <= kLongestWord;
  for (size_t begin = 0; known && begin < word.size();) {
    size_t end = word.size();
    auto found = pieces_.end();
    for (; end > begin && found == pieces_.end(); --end) {
      if (end < word.size() && !starts_character(word[end])) continue;
      const std::string piece =
          (begin > 0 ? "##" : "") + std::string(word.substr(begin, end - begin));
      found = pieces_.find(piece);
      if (found != pieces_.end()) break;
    }
    known = found != pieces_.end();
    if (known) ids.push_back(found->second);
    begin = end;
  }
  if (known) return;
  ids.resize(before);
  ids.push_back(unknown_);
}

}  // namespace prismvid::search
