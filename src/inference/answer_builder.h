#pragma once

#include <string>
#include <vector>

#include "tokenizer/stream_decoder.h"

namespace prismvid::inference {

/// Text that became certain with a token.
struct TextDelta {
  std::string reasoning;
  std::string text;
};

/// Turns generated tokens into reasoning and answer, ends at stop strings, and never gives out half
/// a character or what may still become a stop string. Not thread-safe.
class AnswerBuilder {
 public:
  /// `thinking`: the answer starts inside its reasoning, which `close_token` ends. The tokenizer
  /// must outlive this.
  AnswerBuilder(const tokenizer::Tokenizer& tokenizer, bool thinking, int close_token,
                std::vector<std::string> stops)
      : decoder_(tokenizer),
        thinking_(thinking),
        close_token_(close_token),
        stops_(std::move(stops)) {}

  TextDelta push(int id);
  /// What was held back at the end.
  TextDelta finish();

  bool is_stopped() const { return stopped_; }
  bool is_thinking() const { return thinking_; }
  const std::string& text() const { return text_; }
  const std::string& reasoning() const { return reasoning_; }

 private:
  TextDelta add(const std::string& piece);
  std::string release(bool all);

  tokenizer::StreamDecoder decoder_;
  bool thinking_;
  int close_token_;
  std::vector<std::string> stops_;
  bool stopped_ = false;
  bool trim_next_ = false;  // newlines between reasoning and answer
  std::string held_;        // of the answer, may begin a stop string
  std::string text_;
  std::string reasoning_;
};

}  // namespace prismvid::inference
