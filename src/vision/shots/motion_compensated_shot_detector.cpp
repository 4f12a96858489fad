#include "vision/shots/motion_compensated_shot_detector.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::vision {
namespace {

constexpr int64_t kGradualGap = 6;
constexpr float kGradualChange = 0.12f;
constexpr int64_t kKept = 80;  // settled frames that the finders may still look at

bool is_gradual(const Boundary& b) {
  return b.range_end > b.range_begin;
}
int64_t begin_of(const Boundary& b) {
  return is_gradual(b) ? b.range_begin : b.position;
}
int64_t end_of(const Boundary& b) {
  return is_gradual(b) ? b.range_end : b.position + 1;
}
/// A cut may stand right before or after a gradual transition: a plain colour begins or ends there.
bool overlap(const Boundary& a, const Boundary& b) {
  return begin_of(a) <= end_of(b) && begin_of(b) <= end_of(a);
}

}  // namespace

void MotionCompensatedShotDetector::add(const ShotFrame& frame) {
  check(frame.picture.size() == picture_size() && frame.picture.channels == 3,
        ErrorCode::kInvalidArgument, "the shot detector takes RGB pictures of ",
        FrameSignature::kWidth, "x", FrameSignature::kHeight, ", got ", frame.picture.width, "x",
        frame.picture.height, " with ", frame.picture.channels, " channels");
  history_.add(make_signature(frame.picture));
  fades_.add();
  const int64_t newest = history_.end() - 1;
  timeline_.add(frame, history_[newest].colour_step);
  markers_.add(frame);
  wants_candidate_ = may_begin_shot(newest);
  if (wants_candidate_) last_candidate_ = newest;
  advance(false);
}

void MotionCompensatedShotDetector::finish() {
  advance(true);
  timeline_.finish();
  markers_.finish();
}

/// After a suspected cut, and every few frames while the picture changes as in a gradual
/// transition.
bool MotionCompensatedShotDetector::may_begin_shot(int64_t newest) const {
  if (newest == 0 || cuts_.suspects(newest)) return true;
  const int64_t before = newest - kGradualGap;
  return newest - last_candidate_ >= kGradualGap && before >= history_.begin() &&
         structure_distance(history_[before].signature, history_[newest].signature) >=
             kGradualChange;
}

void MotionCompensatedShotDetector::advance(bool final) {
  find_cuts(final ? history_.end() : history_.end() - CutFinder::kLookAhead);
  find_fades(final);
  find_dissolves(final);
  settle(final);
}

void MotionCompensatedShotDetector::find_cuts(int64_t until) {
  for (; cuts_until_ < until; ++cuts_until_)
    if (const auto confidence = cuts_.cut_at(cuts_until_))
      pending_.push_back({cuts_until_, TransitionKind::kCut, 0, 0, *confidence});
}

Stretch MotionCompensatedShotDetector::stretch_around(int64_t position) const {
  Stretch stretch{std::max(history_.begin(), last_boundary_), cuts_until_};
  for (const Boundary& cut : pending_) {
    if (cut.kind != TransitionKind::kCut) continue;
    if (cut.position <= position) stretch.begin = std::max(stretch.begin, cut.position);
    if (cut.position > position) stretch.end = std::min(stretch.end, cut.position);
  }
  return stretch;
}

void MotionCompensatedShotDetector::find_dissolves(bool final) {
  const int64_t until = final ? cuts_until_ : cuts_until_ - DissolveFinder::kLookAhead;
  for (; examined_until_ < until; ++examined_until_)
    dissolves_.examine(examined_until_, stretch_around(examined_until_));
  for (const Boundary& dissolve : dissolves_.take(final)) {
    const bool in_fade = std::any_of(pending_.begin(), pending_.end(), [&](const Boundary& other) {
      return other.kind == TransitionKind::kFade && overlap(other, dissolve);
    });
    if (!in_fade && dissolve.range_begin >= last_boundary_) pending_.push_back(dissolve);
  }
}

/// What else was found inside a fade is part of it.
void MotionCompensatedShotDetector::find_fades(bool final) {
  for (const Boundary& fade : fades_.take(final)) {
    std::erase_if(pending_, [&](const Boundary& other) {
      return other.kind != TransitionKind::kFade && overlap(other, fade);
    });
    if (fade.range_begin >= last_boundary_) pending_.push_back(fade);
  }
}

/// Hands boundaries on as far as none can come before them.
void MotionCompensatedShotDetector::settle(bool final) {
  std::stable_sort(pending_.begin(), pending_.end(),
                   [](const Boundary& a, const Boundary& b) { return a.position < b.position; });
  int64_t settled =
      final ? history_.end()
            : std::min({cuts_until_, dissolves_.settled_before(), fades_.settled_before()});
  while (!pending_.empty() && end_of(pending_.front()) <= settled) {
    timeline_.add_boundary(pending_.front());
    last_boundary_ = end_of(pending_.front());
    pending_.pop_front();
  }
  for (const Boundary& boundary : pending_) settled = std::min(settled, begin_of(boundary));
  timeline_.settle_before(settled);
  history_.drop_before(settled - kKept);
}

std::unique_ptr<ShotDetector> make_shot_detector() {
  return std::make_unique<MotionCompensatedShotDetector>();
}

}  // namespace prismvid::vision
