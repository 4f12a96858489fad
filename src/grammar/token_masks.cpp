#include "grammar/token_masks.h"

#include <limits>

namespace prismvid::grammar {
namespace {

constexpr size_t kMostStates = 60'000;        // about 1.2 KB each
constexpr size_t kMostMaskWords = 4'000'000;  // 32 MB

}  // namespace

TokenMasks::TokenMasks(std::shared_ptr<const Grammar> grammar,
                       std::shared_ptr<const TokenTrie> trie)
    : grammar_(std::move(grammar)),
      trie_(std::move(trie)),
      automaton_(grammar_->network(), grammar_->rule()),
      path_(static_cast<size_t>(trie_->deepest()) + 1) {}

// One walk over the tree of tokens; a branch ends where the automaton does.
const TokenMask& TokenMasks::mask(int state) {
  const auto [entry, is_new] = masks_.try_emplace(state);
  TokenMask& mask = entry->second;
  if (!is_new) return mask;
  ++computed_;
  mask.assign((static_cast<size_t>(trie_->vocabulary()) + 63) / 64, 0);
  const auto& nodes = trie_->nodes();
  const auto& ids = trie_->token_ids();
  path_[0] = state;
  for (size_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    const int next = automaton_.next(path_[node.depth], node.byte);
    if (next == Automaton::kDead) {
      i = static_cast<size_t>(node.end);
      continue;
    }
    path_[node.depth + 1] = next;
    for (int k = node.first_token; k < node.last_token; ++k)
      mask[static_cast<size_t>(ids[k]) / 64] |= uint64_t{1} << (ids[k] % 64);
    ++i;
  }
  return mask;
}

bool TokenMasks::trim() {
  const size_t words = (static_cast<size_t>(trie_->vocabulary()) + 63) / 64;
  if (automaton_.size() <= kMostStates && masks_.size() * words <= kMostMaskWords) return false;
  masks_.clear();
  automaton_.forget();
  ++epoch_;
  return true;
}

Matcher::Matcher(std::shared_ptr<TokenMasks> masks) : masks_(std::move(masks)) {
  remember(masks_->automaton_.start());
}

const TokenMask& Matcher::mask() {
  masks_->trim();
  return masks_->mask(state());
}

bool Matcher::take(int token) {
  if (token < 0 || token >= masks_->trie_->vocabulary()) return false;
  const std::string& bytes = masks_->trie_->bytes(token);
  int next = state();
  Spacing spacing = spacing_;
  for (const char c : bytes) {
    const bool is_between = masks_->automaton_.next(next, '\n') != Automaton::kDead;
    next = masks_->automaton_.next(next, static_cast<uint8_t>(c));
    if (next == Automaton::kDead) return false;
    spacing.push(c, is_between);
  }
  if (bytes.empty()) return false;
  spacing_ = spacing;
  remember(next);
  return true;
}

// The state of these places, also after all states were dropped.
int Matcher::state() {
  if (epoch_ != masks_->epoch_) {
    state_ = masks_->automaton_.state_of(places_, can_end_);
    epoch_ = masks_->epoch_;
  }
  return state_;
}

void Matcher::remember(int state) {
  state_ = state;
  epoch_ = masks_->epoch_;
  places_ = masks_->automaton_.places(state);
  can_end_ = masks_->automaton_.can_end(state);
}

void apply_mask(const TokenMask& mask, std::span<float> logits) {
  for (size_t i = 0; i < logits.size(); ++i)
    if (!contains(mask, static_cast<int>(i))) logits[i] = -std::numeric_limits<float>::infinity();
}

}  // namespace prismvid::grammar
