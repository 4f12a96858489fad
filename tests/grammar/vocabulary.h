#pragma once

#include <memory>
#include <string>

#include "grammar/token_trie.h"
#include "tokenizer/tokenizer.h"

namespace prismvid::grammar {

/// The tokens of the model in `folder`, without its added ones.
inline std::shared_ptr<const TokenTrie> vocabulary_of(const std::string& folder) {
  const auto tokenizer = tokenizer::Tokenizer::load(folder);
  std::vector<std::string> tokens;
  for (int id = 0; id < tokenizer.size(); ++id) {
    tokens.push_back(tokenizer.token_bytes(id));
    const auto* added = tokenizer.added_token_at(tokens.back());
    if (added != nullptr && added->id == id) tokens.back().clear();
  }
  return std::make_shared<const TokenTrie>(tokens);
}

}  // namespace prismvid::grammar
