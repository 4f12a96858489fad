#include "grammar/token_trie.h"

#include <algorithm>
#include <numeric>

namespace prismvid::grammar {

TokenTrie::TokenTrie(const std::vector<std::string>& tokens)
    : tokens_(tokens), vocabulary_(static_cast<int>(tokens.size())) {
  std::vector<int> order(tokens.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](int id) { return tokens[id].empty(); });
  std::sort(order.begin(), order.end(),
            [&](int a, int b) { return tokens[a] != tokens[b] ? tokens[a] < tokens[b] : a < b; });
  std::vector<int> path;  // nodes from the first byte to the newest
  const auto cut = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back())
      nodes_[path.back()].end = static_cast<int>(nodes_.size());
  };
  std::string last;
  for (const int id : order) {
    const std::string& token = tokens[id];
    const size_t shared = static_cast<size_t>(
        std::mismatch(token.begin(), token.end(), last.begin(), last.end()).first - token.begin());
    cut(shared);
    for (size_t i = shared; i < token.size(); ++i) {
      path.push_back(static_cast<int>(nodes_.size()));
      const int none = static_cast<int>(token_ids_.size());
      nodes_.push_back({static_cast<uint8_t>(token[i]), static_cast<int>(i), 0, none, none});
    }
    token_ids_.push_back(id);
    nodes_[path.back()].last_token = static_cast<int>(token_ids_.size());
    deepest_ = std::max(deepest_, static_cast<int>(token.size()));
    last = token;
  }
  cut(0);
}

}  // namespace prismvid::grammar
