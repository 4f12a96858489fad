#pragma once

#include <string>

#include "tokenizer/tokenizer.h"

namespace prismvid::tokenizer {

/// Turns tokens into text as they come, never giving out half a character. Not thread-safe.
class StreamDecoder {
 public:
  /// The tokenizer must outlive this.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  /// The text that is certain after this token; empty while a character is incomplete.
  std::string push(int id);

  /// What is left, an incomplete character as U+FFFD. All pieces together equal
  /// Tokenizer::decode().
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace prismvid::tokenizer
