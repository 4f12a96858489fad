#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace prismvid::search {

/// BERT's uncased WordPiece tokenizer (Devlin et al. 2018): control characters out, lower case,
/// accents off, Chinese characters and punctuation apart, then the longest pieces of each word that
/// the vocabulary has. Gives the ids of the tokenizers library.
class WordPiece {
 public:
  /// A vocabulary of one piece a line, the id being the line. Throws Error(kModel) where it cannot
  /// be read or lacks a special token.
  explicit WordPiece(const std::filesystem::path& vocabulary);

  /// [CLS], at most `most_tokens` - 2 pieces, [SEP].
  std::vector<int64_t> encode(std::string_view text, size_t most_tokens) const;

 private:
  int64_t special(const char* token, const std::filesystem::path& file) const;
  void add_pieces(std::string_view word, std::vector<int64_t>& ids) const;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> pieces_;
  int64_t unknown_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace prismvid::search
