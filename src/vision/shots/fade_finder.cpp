#include "vision/shots/fade_finder.h"

#include <algorithm>
#include <utility>

namespace prismvid::vision {
namespace {

constexpr float kPlainDeviation = 8;  // levels: a picture of one tone, with noise
constexpr float kLeastStep = 0.015f;  // of the contrast, from one frame of a ramp to the next
constexpr float kBlackMean = 8;
constexpr int64_t kShortestRamp = 2;
constexpr int64_t kOneSidedRamp = 4;   // a cut on the other side
constexpr float kOtherPicture = 0.2f;  // structure_distance of the ends

}  // namespace

bool FadeFinder::is_plain(int64_t position) const {
  const FrameSignature& s = history_[position].signature;
  return s.deviation < kPlainDeviation && (s.mean < 40 || s.mean > 215);
}

/// First position of the falling ramp before a plain stretch; one step may go the wrong way.
int64_t FadeFinder::ramp_begin(int64_t plain_begin) const {
  const int64_t limit = std::max(history_.begin() + 1, plain_begin - kLongestRamp);
  const auto falls = [&](int64_t t) {
    const float before = history_[t - 1].signature.deviation;
    return before - history_[t].signature.deviation > kLeastStep * before;
  };
  int64_t t = plain_begin;
  while (t > limit && (falls(t - 1) || (t - 2 > limit && falls(t - 2)))) --t;
  while (t < plain_begin && !falls(t)) ++t;
  return t;
}

/// One past the rising ramp after a plain stretch, or the history's end where it still rises.
int64_t FadeFinder::ramp_end(int64_t plain_end) const {
  const int64_t limit = std::min(history_.end(), plain_end + kLongestRamp);
  const auto rises = [&](int64_t t) {
    const float now = history_[t].signature.deviation;
    return t + 1 < history_.end() && history_[t + 1].signature.deviation - now > kLeastStep * now;
  };
  int64_t t = plain_end;
  while (t < limit && (rises(t) || rises(t + 1))) ++t;
  return t;
}

void FadeFinder::add() {
  const int64_t newest = history_.end() - 1;
  const bool plain = is_plain(newest);
  const float mean = history_[newest].signature.mean;
  if (plain && (!out_begin_ || plain_end_)) {
    if (plain_end_) complete();
    plain_begin_ = newest;
    out_begin_ = ramp_begin(newest);
    darkest_ = mean;
  } else if (!plain && out_begin_ && !plain_end_) {
    plain_end_ = newest;
  }
  if (plain) darkest_ = std::min(darkest_, mean);
  // Two frames more than the ramp: its end must have been seen.
  if (plain_end_ && ramp_end(*plain_end_) + 2 < newest) complete();
  // A stretch this long is settled in two parts, so that waiting has an end.
  if (out_begin_ && !plain_end_ && !split_ && newest - plain_begin_ > kLongestPlain) {
    split_ = true;
    if (is_ramp(*out_begin_, plain_begin_))
      found_.push_back(
          {(*out_begin_ + plain_begin_) / 2, TransitionKind::kFade, *out_begin_, plain_begin_, 1});
  }
}

bool FadeFinder::is_ramp(int64_t begin, int64_t end) const {
  return end - begin >= kShortestRamp;
}

void FadeFinder::complete() {
  const int64_t in_end = std::min(ramp_end(*plain_end_), history_.end() - 1);
  const bool in = is_ramp(*plain_end_, in_end);
  const bool out = !split_ && is_ramp(*out_begin_, plain_begin_);
  const int64_t begin = split_ ? *plain_end_ : *out_begin_;
  // Bright or grey plain pictures are often just pictures: there both ramps must be seen.
  const bool black = darkest_ < kBlackMean;
  const bool long_ramp =
      in_end - *plain_end_ >= kOneSidedRamp || (out && plain_begin_ - *out_begin_ >= kOneSidedRamp);
  if (((in && out) || (black && long_ramp)) && begin > history_.begin() && in_end > begin) {
    const float ends =
        structure_distance(history_[begin - 1].signature, history_[in_end].signature);
    if (split_ || ends >= kOtherPicture)
      found_.push_back({(begin + in_end) / 2, TransitionKind::kFade, begin, in_end, 1});
  }
  out_begin_.reset();
  plain_end_.reset();
  split_ = false;
}

std::vector<Boundary> FadeFinder::take(bool final) {
  if (final && plain_end_) complete();
  return std::exchange(found_, {});
}

int64_t FadeFinder::settled_before() const {
  const int64_t settled = history_.end() - kLongestRamp - 4;
  if (!out_begin_) return settled;
  if (split_) return plain_end_ ? std::min(settled, *plain_end_) : settled;
  return std::min(settled, *out_begin_);
}

}  // namespace prismvid::vision
