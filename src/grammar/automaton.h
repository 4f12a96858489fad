#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "grammar/network.h"

namespace prismvid::grammar {

/// A network as a deterministic automaton over bytes, made state by state as texts reach them. From
/// every state some text leads to the end, within `kDeepest` nested calls. Not thread-safe.
class Automaton {
 public:
  static constexpr int kDeepest = 64;
  static constexpr int kDead = -1;

  /// Where one reading of the text stands: a state of the network and the calls it is in.
  struct Place {
    int state = 0;
    int frame = 0;
    auto operator<=>(const Place&) const = default;
  };
  using Places = std::vector<Place>;  // sorted

  /// `network` is finished, its `rule` can end within kDeepest calls, and it outlives this.
  Automaton(const Network& network, int rule);

  int start();
  /// kDead where no text of the grammar goes on with `byte`.
  int next(int state, uint8_t byte) {
    const int known = states_[state].next[byte];
    return known != kUnknown ? known : find_next(state, byte);
  }
  /// Whether the text may end here.
  bool can_end(int state) const { return states_[state].can_end; }
  /// Whether it must, since nothing can follow.
  bool must_end(int state) const { return states_[state].places.empty(); }
  bool accepts(std::string_view text);

  /// A state as it outlives forget().
  const Places& places(int state) const { return states_[state].places; }
  int state_of(Places places, bool can_end);
  /// Drops all states: their numbers mean nothing afterwards.
  void forget();
  size_t size() const { return states_.size(); }

 private:
  static constexpr int kUnknown = -2;
  struct Frame {
    int target = 0;  // where the caller goes on
    int parent = 0;
    int depth = 0;
  };
  struct State {
    Places places;  // only those that read a byte
    bool can_end = false;
    std::array<int, 256> next;
  };
  struct PlacesHash {
    size_t operator()(const Places& places) const;
  };

  int find_next(int state, uint8_t byte);
  int closed(Places reached);
  int frame_of(int target, int parent);
  bool is_only_end(int state) const;
  bool can_finish(int state, int frame) const {
    return frames_[frame].depth + network_.state(state).depth <= kDeepest;
  }

  const Network& network_;
  const int rule_;
  std::vector<Frame> frames_{{}};  // 0: the rule itself
  std::unordered_map<uint64_t, int> frame_ids_;
  std::deque<State> states_;
  std::unordered_map<Places, int, PlacesHash> ids_[2];  // cannot end, can end
};

}  // namespace prismvid::grammar
