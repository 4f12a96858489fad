#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "vision/shots/cut_finder.h"
#include "vision/shots/dissolve_rating.h"
#include "vision/shots/shot_timeline.h"

namespace prismvid::vision {

/// The stretch of frames without a cut in which a dissolve is looked for: [begin, end).
struct Stretch {
  int64_t begin = 0;
  int64_t end = 0;
};

/// Finds dissolves.
///
/// A candidate is a window whose ends differ more than the frames on each side of it do among
/// themselves, more than the windows just before and after it. rate_dissolve() then tells mixing
/// from motion; of overlapping candidates the best one stays.
class DissolveFinder {
 public:
  static constexpr std::array<int64_t, 5> kLengths{6, 12, 20, 32, 50};
  static constexpr int64_t kLookAhead = 40;  // frames after a position that its contrast needs
  static constexpr int64_t kReach =
      44;  // a dissolve lies within so many frames of its candidate's middle

  explicit DissolveFinder(const FrameHistory& history) : history_(history) {}

  /// Called once for each position in order.
  void examine(int64_t position, const Stretch& stretch);
  /// Dissolves that no later candidate can beat, in order. `final`: no position follows.
  std::vector<Boundary> take(bool final);
  /// No dissolve will come that starts before this position.
  int64_t settled_before() const;

  /// Sees every candidate that is rated; for training.
  std::function<void(const Boundary&, const DissolveFeatures&)> observer;

 private:
  struct Contrast {
    int64_t middle = 0;
    float value = 0;
    float across = 0;
    Stretch stretch;
  };
  struct Candidate {
    Boundary boundary;
    float rating = 0;
  };

  Contrast contrast(int64_t position, int64_t length, const Stretch& stretch) const;
  void consider_peak(size_t scale, bool final);
  void add_candidate(const Contrast& peak, int64_t length);
  /// Returns the rating.
  float consider(int64_t begin, int64_t end, float ramp_error, const Contrast& peak);
  bool returns(const Boundary& boundary, const Stretch& stretch) const;
  bool jumps(const Boundary& boundary) const;
  bool changes_only_a_part(const Boundary& boundary) const;
  float mean_step(int64_t begin, int64_t end, int64_t gap, const Stretch& stretch) const;
  float local_misfit(int64_t begin, int64_t end, const Stretch& stretch) const;
  DissolveFeatures features(const Boundary& boundary, const Contrast& peak) const;

  const FrameHistory& history_;
  std::array<std::deque<Contrast>, kLengths.size()> contrasts_;
  std::vector<Candidate> candidates_;
  int64_t examined_ = 0;
  int64_t taken_until_ = -1'000;  // end of the last dissolve that was taken
};

}  // namespace prismvid::vision
