#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/results.h"
#include "vision/shots/shot_detector.h"

namespace prismvid::vision {

/// Finds black and frozen stretches of at least the minimum durations. A black stretch is never
/// frozen.
class MarkerDetector {
 public:
  static constexpr int64_t kMinBlackUs = 200'000;
  static constexpr int64_t kMinFreezeUs = 2'000'000;

  void add(const ShotFrame& frame);
  void finish();
  std::vector<Marker> take();

 private:
  void close_black();
  void close_freeze();
  void update_black(const ShotFrame& frame);
  void update_freeze(const ShotFrame& frame);

  std::optional<TimeRange> black_;
  std::optional<TimeRange> freeze_;
  std::vector<uint8_t> previous_;   // the last frame
  std::vector<uint8_t> reference_;  // the first frame of the still stretch
  int moved_ = 0;                   // newest frames in a row that differ from the one before
  std::vector<Marker> closed_;
};

}  // namespace prismvid::vision
