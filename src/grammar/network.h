#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace prismvid::grammar {

/// Rules over bytes as a recursive transition network: each rule is an automaton whose edges read a
/// byte, read nothing, or go through another rule first. Built once, then read only.
class Network {
 public:
  struct ByteEdge {
    uint8_t low = 0, high = 0;
    int target = 0;
  };
  struct CallEdge {
    int rule = 0;
    int target = 0;
  };
  struct State {
    std::vector<ByteEdge> bytes;
    std::vector<int> empty;  // targets that are reached without reading
    std::vector<CallEdge> calls;
    bool accepting = false;  // its rule may end here
    int depth = 0;           // set by finish(): least number of nested calls to the rule's end
  };
  struct Rule {
    int start = 0;
    int depth = kUnreachable;  // set by finish(): of its start
  };
  static constexpr int kUnreachable = 1 << 20;

  /// Throws Error(kInvalidArgument) beyond 400,000 states: the schema is too large.
  int add_state();
  /// A new rule with a start state.
  int add_rule();

  void add_bytes(int from, uint8_t low, uint8_t high, int to);
  void add_empty(int from, int to) { states_[from].empty.push_back(to); }
  void add_call(int from, int rule, int to) { states_[from].calls.push_back({rule, to}); }
  void set_accepting(int state) { states_[state].accepting = true; }
  /// A path of these bytes; returns its end.
  int add_text(int from, std::string_view text);

  /// Computes depths; edges into what can never end are taken out.
  void finish();

  const State& state(int index) const { return states_[index]; }
  int start_of(int rule) const { return rules_[rule].start; }
  /// Whether some finite text fulfils the rule.
  bool can_end(int rule) const { return rules_[rule].depth < kUnreachable; }
  int depth_of(int rule) const { return rules_[rule].depth; }
  int size() const { return static_cast<int>(states_.size()); }

 private:
  int least_depth(const State& state) const;

  std::vector<State> states_;
  std::vector<Rule> rules_;
};

}  // namespace prismvid::grammar
