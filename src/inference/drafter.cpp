#include "inference/drafter.h"

#include <algorithm>

namespace prismvid::inference {
namespace {

constexpr double kShareOfNewest = 0.125;  // of one token in the running mean
constexpr int kTryAgainAfter = 24;        // guesses passed over

constexpr int kShortest = 3, kLongest = 12;  // tokens of an equal stretch

}  // namespace

int Acceptance::worth(int guesses, const StepCost& cost) {
  int count = 0;
  for (double chance = chance_; count < guesses && chance >= cost.least_chance(); chance *= chance_)
    ++count;
  if (count > 0 || guesses == 0) return count;
  if (++passed_over_ < kTryAgainAfter) return 0;
  passed_over_ = 0;
  return 1;
}

void Acceptance::note(int right, bool all) {
  for (int i = 0; i < right; ++i) chance_ += kShareOfNewest * (1 - chance_);
  if (!all) chance_ -= kShareOfNewest * chance_;
}

std::vector<int> LookUp::guess(int most) const {
  const int size = static_cast<int>(tokens_.size());
  int best = kShortest - 1, from = 0;
  for (int end = size - 1; end >= kShortest && best < kLongest; --end) {
    int length = 0;
    while (length < kLongest && length < end &&
           tokens_[end - 1 - length] == tokens_[size - 1 - length] &&
           tokens_[size - 1 - length] != kNoText)
      ++length;
    if (length > best) best = length, from = end;
  }
  if (from == 0) return {};
  const auto begin = tokens_.begin() + from;
  const auto last = tokens_.begin() + std::min(size, from + most);
  return {begin, std::find(begin, last, kNoText)};
}

}  // namespace prismvid::inference
