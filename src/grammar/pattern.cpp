#include "grammar/pattern.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace prismvid::grammar {
namespace {

constexpr size_t kMostStates = 100'000;

// States of the pattern by number of code points read, made as they are reached. Beyond the least
// length without a greatest one, more reading changes nothing.
class Product {
 public:
  Product(Network& network, const Pattern& pattern, const Lengths& lengths, Writing writing)
      : network_(network), pattern_(pattern), lengths_(lengths), writing_(writing) {}

  int add(int from) {
    const int end = network_.add_state();
    network_.add_empty(from, reach(pattern_.start, 0));
    while (!todo_.empty()) {
      const auto [state, count] = todo_.back();
      todo_.pop_back();
      const int here = known_.at({state, count});
      for (const int target : pattern_.states[state].empty)
        network_.add_empty(here, reach(target, count));
      if (state == pattern_.end && count >= lengths_.min) network_.add_empty(here, end);
      if (lengths_.max && count >= *lengths_.max) continue;
      const int next = lengths_.max ? count + 1 : std::min(count + 1, lengths_.min);
      for (const Pattern::Edge& edge : pattern_.states[state].edges)
        add_code_points(network_, here, edge.set, writing_, reach(edge.target, next));
    }
    return end;
  }

 private:
  int reach(int state, int count) {
    const auto [entry, is_new] = known_.try_emplace({state, count}, 0);
    if (is_new) {
      entry->second = network_.add_state();
      todo_.emplace_back(state, count);
    }
    return entry->second;
  }

  Network& network_;
  const Pattern& pattern_;
  const Lengths lengths_;
  const Writing writing_;
  std::map<std::pair<int, int>, int> known_;
  std::vector<std::pair<int, int>> todo_;
};

}  // namespace

int Pattern::add_state() {
  check(states.size() < kMostStates, ErrorCode::kInvalidArgument,
        "the regular expression is too large: lower its repetitions");
  states.emplace_back();
  return static_cast<int>(states.size()) - 1;
}

int add_pattern(Network& network, int from, const Pattern& pattern, const Lengths& lengths,
                Writing writing) {
  return Product(network, pattern, lengths, writing).add(from);
}

}  // namespace prismvid::grammar
