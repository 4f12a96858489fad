#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "vision/shots/shot_detector.h"

namespace prismvid::vision {

/// A decision of a detector, in positions: 0 is the first frame that was added.
struct Boundary {
  int64_t position = 0;  // first frame of the new shot
  TransitionKind kind = TransitionKind::kCut;
  int64_t range_begin = 0;  // gradual transitions: [range_begin, range_end)
  int64_t range_end = 0;
  float confidence = 1;
};

/// Turns boundaries into shots that tile the frames.
class ShotTimeline {
 public:
  /// `change`: mean difference to the frame before, 0..1.
  void add(const ShotFrame& frame, float change);
  /// In order of position; neither the position nor its range may be settled yet.
  void add_boundary(const Boundary& boundary);
  /// No boundary will come before `position`.
  void settle_before(int64_t position);
  void finish();

  int64_t added() const { return settled_ + static_cast<int64_t>(pending_.size()); }
  int64_t settled_until_us() const;
  int shot_index_at(int64_t pts_us) const;
  std::vector<SettledShot> take_settled();

 private:
  struct Entry {
    int64_t frame;
    int64_t pts_us;
    int64_t end_us;
    float change;
  };
  struct PendingBoundary {
    int64_t position;
    Transition transition;
    float confidence;
  };

  const Entry& entry(int64_t position) const {
    return pending_[static_cast<size_t>(position - settled_)];
  }
  void settle_front();
  void close_shot(int64_t frame_end, int64_t end_us, const Transition& next);

  std::deque<Entry> pending_;
  int64_t settled_ = 0;  // frames settled, which is the position of pending_.front()
  int64_t end_us_ = 0;
  int64_t last_pts_us_ = 0;
  std::deque<PendingBoundary> boundaries_;
  std::vector<int64_t> starts_us_;  // of every shot so far
  std::vector<SettledShot> closed_;
  Shot open_;
  double change_sum_ = 0;
  int64_t change_count_ = 0;
  int64_t settled_frame_end_ = 0;
};

}  // namespace prismvid::vision
