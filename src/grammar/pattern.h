#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grammar/code_points.h"
#include "grammar/network.h"

namespace prismvid::grammar {

/// A regular expression over code points as a nondeterministic automaton.
struct Pattern {
  struct Edge {
    CodePointSet set;
    int target = 0;
  };
  struct State {
    std::vector<Edge> edges;
    std::vector<int> empty;
  };
  std::vector<State> states;
  int start = 0;
  int end = 0;

  int add_state();
};

enum class Match {
  kWhole,    // the text is the expression
  kAnywhere  // the text holds it somewhere, as JSON Schema's "pattern"
};

/// Reads the common syntax of ECMAScript and Python: alternatives, groups, classes, \d \w \s and
/// their complements, escapes, * + ? {n} {n,} {n,m}; ^ and $ only around a whole alternative.
/// Throws Error(kInvalidArgument) naming the place for all else: look-around, back references, \b,
/// \p.
Pattern parse_regex(const std::string& text, Match match);

struct Lengths {
  int min = 0;
  std::optional<int> max;
};

/// Paths from `from` that read what `pattern` matches and what has so many code points; returns
/// their end. Throws Error(kInvalidArgument) when that is too large.
int add_pattern(Network& network, int from, const Pattern& pattern, const Lengths& lengths,
                Writing writing);

}  // namespace prismvid::grammar
