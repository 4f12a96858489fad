#pragma once

#include <optional>
#include <string>

#include "grammar/network.h"

namespace prismvid::grammar {

/// Limits as JSON writes numbers, for example "-2.5e-7".
struct NumberLimits {
  bool integer = false;
  std::optional<std::string> min, max;
  bool above_min = false;  // the limit itself is out
  bool below_max = false;
};

/// Paths from `from` to `to` that read a JSON number within the limits: at most 15 digits before
/// the point; without limits also an exponent. A decimal is cut where more digits could not be told
/// apart as float64. No path where no number fits. Throws Error(kInvalidArgument) for limits that
/// leave only numbers of more than 15 digits.
void add_number(Network& network, int from, const NumberLimits& limits, int to);

}  // namespace prismvid::grammar
