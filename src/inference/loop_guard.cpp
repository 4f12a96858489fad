#include "inference/loop_guard.h"

#include <algorithm>

namespace prismvid::inference {
namespace {

constexpr int kLongestPeriod = 256;
constexpr int kRepeats = 8;
constexpr int kLeastTokens = 128;

}  // namespace

bool ends_in_loop(const std::vector<int>& tokens) {
  const int size = static_cast<int>(tokens.size());
  for (int period = 1; period <= kLongestPeriod; ++period) {
    const int needed = std::max(kRepeats * period, kLeastTokens);
    if (needed > size) continue;
    const auto end = tokens.end();
    if (std::equal(end - needed + period, end, end - needed)) return true;
  }
  return false;
}

}  // namespace prismvid::inference
