#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace prismvid::tokenizer {

/// Builds the token ids of a prompt from trusted literals and users' text. Text between two added
/// tokens is encoded as one string, as the reference does, yet only literals can form added tokens.
/// Not thread-safe.
class PromptEncoder {
 public:
  /// The tokenizer must outlive this.
  explicit PromptEncoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void add_text(std::string_view text) { plain_ += text; }
  void add_literal(std::string_view literal);
  void add_token(int id, int count = 1);

  /// The ids so far; the encoder is empty afterwards.
  std::vector<int> finish();

 private:
  void flush();

  const Tokenizer& tokenizer_;
  std::string plain_;
  std::vector<int> ids_;
};

}  // namespace prismvid::tokenizer
