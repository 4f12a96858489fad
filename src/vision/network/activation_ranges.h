#pragma once

#include <map>
#include <string>

namespace prismvid::vision {

struct ValueRange {
  float low = 0;
  float high = 0;
};

/// What enters a network's convolutions, by their names. Convolutions that it names can be computed in int8.
using ActivationRanges = std::map<std::string, ValueRange>;

}  // namespace prismvid::vision
