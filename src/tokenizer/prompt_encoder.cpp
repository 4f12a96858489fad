#include "tokenizer/prompt_encoder.h"

#include <utility>

namespace prismvid::tokenizer {

void PromptEncoder::add_literal(std::string_view literal) {
  size_t plain_start = 0;
  for (size_t i = 0; i < literal.size();) {
    const AddedToken* token = tokenizer_.added_token_at(literal.substr(i));
    if (token == nullptr) {
      ++i;
      continue;
    }
    add_text(literal.substr(plain_start, i - plain_start));
    add_token(token->id);
    i += token->content.size();
    plain_start = i;
  }
  add_text(literal.substr(plain_start));
}

void PromptEncoder::add_token(int id, int count) {
  flush();
  ids_.insert(ids_.end(), count, id);
}

std::vector<int> PromptEncoder::finish() {
  flush();
  return std::exchange(ids_, {});
}

void PromptEncoder::flush() {
  if (plain_.empty()) return;
  const std::vector<int> ids = tokenizer_.encode(plain_);
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  plain_.clear();
}

}  // namespace prismvid::tokenizer
