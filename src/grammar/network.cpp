#include "grammar/network.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::grammar {
namespace {

constexpr size_t kMostStates = 400'000;

}  // namespace

int Network::add_state() {
  check(states_.size() < kMostStates, ErrorCode::kInvalidArgument,
        "the schema or expression is too large: it needs more than ", kMostStates,
        " states; lower its repetitions or lengths");
  states_.emplace_back();
  return static_cast<int>(states_.size()) - 1;
}

int Network::add_rule() {
  rules_.push_back({add_state()});
  return static_cast<int>(rules_.size()) - 1;
}

void Network::add_bytes(int from, uint8_t low, uint8_t high, int to) {
  states_[from].bytes.push_back({low, high, to});
}

int Network::add_text(int from, std::string_view text) {
  for (const char c : text) {
    const int next = add_state();
    add_bytes(from, static_cast<uint8_t>(c), static_cast<uint8_t>(c), next);
    from = next;
  }
  return from;
}

// Depths only fall, so sweeping until nothing changes ends. Backwards: targets mostly lie behind.
void Network::finish() {
  for (State& state : states_) state.depth = state.accepting ? 0 : kUnreachable;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = states_.size(); i-- > 0;) {
      const int depth = least_depth(states_[i]);
      changed |= depth != states_[i].depth;
      states_[i].depth = depth;
    }
    for (Rule& rule : rules_) {
      changed |= rule.depth != states_[rule.start].depth;
      rule.depth = states_[rule.start].depth;
    }
  }
  const auto dead = [&](int target) { return states_[target].depth >= kUnreachable; };
  for (State& state : states_) {
    std::erase_if(state.bytes, [&](const ByteEdge& edge) { return dead(edge.target); });
    std::erase_if(state.empty, dead);
    std::erase_if(state.calls,
                  [&](const CallEdge& edge) { return dead(edge.target) || !can_end(edge.rule); });
  }
}

int Network::least_depth(const State& state) const {
  int depth = state.accepting ? 0 : kUnreachable;
  for (const ByteEdge& edge : state.bytes) depth = std::min(depth, states_[edge.target].depth);
  for (const int target : state.empty) depth = std::min(depth, states_[target].depth);
  for (const CallEdge& edge : state.calls)
    depth = std::min(depth, std::max(rules_[edge.rule].depth + 1, states_[edge.target].depth));
  return std::min(depth, kUnreachable);
}

}  // namespace prismvid::grammar
