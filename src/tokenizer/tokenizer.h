#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/byte_pair_encoder.h"
#include "tokenizer/tokenizer_files.h"

namespace prismvid::tokenizer {

/// Text to token ids and back, as Qwen2's tokenizer. Immutable, thread-safe.
class Tokenizer {
 public:
  explicit Tokenizer(const TokenizerData& data);

  /// From the files of a checkpoint's folder. Throws Error(kModel).
  static Tokenizer load(const std::filesystem::path& folder);

  /// Text of a user: added tokens written in it stay plain text.
  /// Throws Error(kInvalidArgument) where it is not well-formed UTF-8.
  std::vector<int> encode(std::string_view text) const;

  /// Id of an added token by its content, for example "<|im_end|>".
  std::optional<int> added_token_id(std::string_view content) const;

  /// The longest added token that `text` starts with, nullptr for none.
  const AddedToken* added_token_at(std::string_view text) const;

  /// Raw bytes of one token; empty for an unknown id, and for special tokens when they are skipped.
  std::string token_bytes(int id, bool skip_special = true) const;

  /// Text of the tokens, ill-formed bytes replaced by U+FFFD.
  std::string decode(const std::vector<int>& ids, bool skip_special = true) const;

  /// One more than the largest id.
  int size() const { return static_cast<int>(bytes_of_id_.size()); }

 private:
  BytePairEncoder encoder_;
  std::vector<AddedToken> added_;
  std::unordered_map<std::string, int> added_ids_;
  std::vector<std::string> bytes_of_id_;
  std::vector<bool> is_special_;
};

}  // namespace prismvid::tokenizer
