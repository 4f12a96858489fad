#include "grammar/automaton.h"

#include <algorithm>
#include <set>

namespace prismvid::grammar {

Automaton::Automaton(const Network& network, int rule) : network_(network), rule_(rule) {}

int Automaton::start() {
  return closed({{network_.start_of(rule_), 0}});
}

bool Automaton::accepts(std::string_view text) {
  int state = start();
  for (const char c : text) {
    state = next(state, static_cast<uint8_t>(c));
    if (state == kDead) return false;
  }
  return can_end(state);
}

int Automaton::find_next(int state, uint8_t byte) {
  Places reached;
  for (const Place& place : states_[state].places)
    for (const Network::ByteEdge& edge : network_.state(place.state).bytes)
      if (edge.low <= byte && byte <= edge.high && can_finish(edge.target, place.frame))
        reached.push_back({edge.target, place.frame});
  const int next = reached.empty() ? kDead : closed(std::move(reached));
  states_[state].next[byte] = next;
  return next;
}

// Follows everything that reads nothing. A place is kept only if its rule and all that called it
// can be finished within the depth.
int Automaton::closed(Places reached) {
  std::set<Place> seen(reached.begin(), reached.end());
  Places todo = std::move(reached), places;
  bool ends = false;
  const auto reach = [&](int state, int frame) {
    if (can_finish(state, frame) && seen.insert({state, frame}).second)
      todo.push_back({state, frame});
  };
  while (!todo.empty()) {
    const auto [index, frame] = todo.back();
    todo.pop_back();
    const Network::State& state = network_.state(index);
    if (!state.bytes.empty()) places.push_back({index, frame});
    if (state.accepting) {
      if (frame == 0)
        ends = true;
      else
        reach(frames_[frame].target, frames_[frame].parent);
    }
    for (const int target : state.empty) reach(target, frame);
    for (const Network::CallEdge& call : state.calls) {
      if (!can_finish(call.target, frame)) continue;
      const int start = network_.start_of(call.rule);
      if (is_only_end(call.target)) {
        reach(start, frame);  // nothing to come back for
      } else if (frames_[frame].depth + 1 + network_.depth_of(call.rule) <= kDeepest) {
        reach(start, frame_of(call.target, frame));
      }
    }
  }
  std::sort(places.begin(), places.end());
  return state_of(std::move(places), ends);
}

bool Automaton::is_only_end(int index) const {
  const Network::State& state = network_.state(index);
  return state.accepting && state.bytes.empty() && state.empty.empty() && state.calls.empty();
}

int Automaton::frame_of(int target, int parent) {
  const uint64_t key = static_cast<uint64_t>(target) << 32 | static_cast<uint32_t>(parent);
  const auto [entry, is_new] = frame_ids_.try_emplace(key, static_cast<int>(frames_.size()));
  if (is_new) frames_.push_back({target, parent, frames_[parent].depth + 1});
  return entry->second;
}

int Automaton::state_of(Places places, bool can_end) {
  const auto [entry, is_new] =
      ids_[can_end].try_emplace(std::move(places), static_cast<int>(states_.size()));
  if (is_new) {
    states_.push_back({entry->first, can_end, {}});
    states_.back().next.fill(kUnknown);
  }
  return entry->second;
}

void Automaton::forget() {
  states_.clear();
  for (auto& ids : ids_) ids.clear();
}

size_t Automaton::PlacesHash::operator()(const Places& places) const {
  size_t hash = 0xcbf29ce484222325u;
  for (const Place& place : places)
    for (const int value : {place.state, place.frame})
      hash = (hash ^ static_cast<uint32_t>(value)) * 0x100000001b3u;
  return hash;
}

}  // namespace prismvid::grammar
