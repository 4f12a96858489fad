#include "tokenizer/stream_decoder.h"

#include "tokenizer/unicode.h"

namespace prismvid::tokenizer {

std::string StreamDecoder::push(int id) {
  pending_ += tokenizer_.token_bytes(id, skip_special_);
  const size_t complete = pending_.size() - incomplete_utf8_tail(pending_);
  std::string text = replace_invalid_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text = replace_invalid_utf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace prismvid::tokenizer
