#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace prismvid::grammar {

/// The bytes of a vocabulary's tokens as a tree in depth-first order. Immutable, thread-safe.
class TokenTrie {
 public:
  /// `tokens[id]` are the bytes of a token; empty for those that may not be part of a text.
  explicit TokenTrie(const std::vector<std::string>& tokens);

  struct Node {
    uint8_t byte = 0;
    int depth = 0;        // 0 for the first byte
    int end = 0;          // index of the first node that is not below this one
    int first_token = 0;  // tokens that end here: a range of token_ids()
    int last_token = 0;
  };
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<int>& token_ids() const { return token_ids_; }
  int vocabulary() const { return vocabulary_; }
  int deepest() const { return deepest_; }
  const std::string& bytes(int id) const { return tokens_[id]; }

 private:
  std::vector<std::string> tokens_;
  std::vector<Node> nodes_;
  std::vector<int> token_ids_;
  int vocabulary_ = 0;
  int deepest_ = 0;
};

}  // namespace prismvid::grammar
