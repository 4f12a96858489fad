#pragma once

#include <deque>

#include "vision/shots/cut_finder.h"
#include "vision/shots/dissolve_finder.h"
#include "vision/shots/fade_finder.h"
#include "vision/shots/marker_detector.h"
#include "vision/shots/shot_timeline.h"

namespace prismvid::vision {

/// The default detector: cuts and gradual transitions found by comparing frames after motion
/// compensation.
class MotionCompensatedShotDetector : public ShotDetector {
 public:
  MotionCompensatedShotDetector() : cuts_(history_), dissolves_(history_), fades_(history_) {}

  Size picture_size() const override { return {FrameSignature::kWidth, FrameSignature::kHeight}; }
  void add(const ShotFrame& frame) override;
  bool wants_candidate() const override { return wants_candidate_; }
  void finish() override;
  int64_t settled_until_us() const override { return timeline_.settled_until_us(); }
  int shot_index_at(int64_t pts_us) const override { return timeline_.shot_index_at(pts_us); }
  std::vector<SettledShot> take_settled() override { return timeline_.take_settled(); }
  std::vector<Marker> take_markers() override { return markers_.take(); }

  /// Sees every candidate for a dissolve; for training rate_dissolve().
  void observe_dissolves(std::function<void(const Boundary&, const DissolveFeatures&)> observer) {
    dissolves_.observer = std::move(observer);
  }

 private:
  bool may_begin_shot(int64_t newest) const;
  void advance(bool final);
  void find_cuts(int64_t until);
  void find_dissolves(bool final);
  void find_fades(bool final);
  void settle(bool final);
  Stretch stretch_around(int64_t position) const;

  FrameHistory history_;
  CutFinder cuts_;
  DissolveFinder dissolves_;
  FadeFinder fades_;
  MarkerDetector markers_;
  ShotTimeline timeline_;
  std::deque<Boundary> pending_;  // found but not yet handed on, in order
  int64_t cuts_until_ = 1;        // cuts before it are known
  int64_t examined_until_ = 0;    // positions before it were examined as the middle of a dissolve
  int64_t last_boundary_ = 0;     // end of the last boundary that is final
  bool wants_candidate_ = false;
  int64_t last_candidate_ = 0;
};

}  // namespace prismvid::vision
