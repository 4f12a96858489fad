#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vision/shots/cut_finder.h"
#include "vision/shots/shot_timeline.h"

namespace prismvid::vision {

/// Finds fades through black, white or another plain colour: contrast falls to nothing, rises again
/// and another picture is there. A plain stretch longer than kLongestPlain is a shot of its own,
/// with a fade at each end.
class FadeFinder {
 public:
  static constexpr int64_t kLongestPlain = 30;
  static constexpr int64_t kLongestRamp = 50;

  explicit FadeFinder(const FrameHistory& history) : history_(history) {}

  /// Looks at the newest frame of the history.
  void add();
  /// Fades that were completed since the last call, in order. `final`: no frame follows.
  std::vector<Boundary> take(bool final);
  /// No fade will come that starts before this position.
  int64_t settled_before() const;

 private:
  bool is_plain(int64_t position) const;
  int64_t ramp_begin(int64_t plain_begin) const;
  int64_t ramp_end(int64_t plain_end) const;
  bool is_ramp(int64_t begin, int64_t end) const;
  void complete();

  const FrameHistory& history_;
  std::optional<int64_t>
      out_begin_;  // while in a plain stretch or the ramp after it: where it all began
  int64_t plain_begin_ = 0;
  std::optional<int64_t> plain_end_;
  float darkest_ = 0;   // mean luma in the plain stretch
  bool split_ = false;  // the plain stretch is a shot of its own
  std::vector<Boundary> found_;
};

}  // namespace prismvid::vision
