#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/grammar.h"
#include "grammar/spacing.h"
#include "grammar/token_trie.h"

namespace prismvid::grammar {

/// One bit for each token of the vocabulary.
using TokenMask = std::vector<uint64_t>;

/// Which tokens may come next in a grammar, kept by state of its automaton, so that many texts of
/// one grammar share the work. Not thread-safe.
class TokenMasks {
 public:
  TokenMasks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie);

  const Grammar& grammar() const { return *grammar_; }
  uint64_t computed() const { return computed_; }  // masks that were not at hand

 private:
  friend class Matcher;
  const TokenMask& mask(int state);
  // Drops states and masks when there are many; true when their numbers mean nothing any more.
  bool trim();

  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTrie> trie_;
  Automaton automaton_;
  std::unordered_map<int, TokenMask> masks_;
  std::vector<int> path_;  // states along a token
  uint64_t computed_ = 0;
  uint64_t epoch_ = 0;
};

/// One text on its way through a grammar. Not thread-safe.
class Matcher {
 public:
  explicit Matcher(std::shared_ptr<TokenMasks> masks);

  /// The tokens that may come next; valid until the next call of any matcher of these masks.
  const TokenMask& mask();
  /// Takes a token of the mask; false, and nothing changes, for another one.
  bool take(int token);
  /// Whether the text may end here.
  bool can_end() const { return can_end_; }
  /// Whether it must.
  bool must_end() const { return places_.empty(); }

  /// What the text goes on with for certain, at most `most` bytes in whole characters; white space
  /// that may stand or not is taken as this text has it elsewhere. Empty where there is a choice.
  std::string forced_text(size_t most);

 private:
  int state();
  void remember(int state);

  std::shared_ptr<TokenMasks> masks_;
  Automaton::Places places_;
  bool can_end_ = false;
  int state_ = 0;
  uint64_t epoch_ = 0;
  Spacing spacing_;
};

/// False for tokens beyond the mask, which some checkpoints pad their vocabulary with.
inline bool contains(const TokenMask& mask, int token) {
  const auto word = static_cast<size_t>(token) / 64;
  return word < mask.size() && (mask[word] >> (token % 64) & 1) != 0;
}

/// Sets the logits of all tokens that the mask does not contain to minus infinity.
void apply_mask(const TokenMask& mask, std::span<float> logits);

}  // namespace prismvid::grammar
