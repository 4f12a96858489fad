#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "vision/shots/frame_signature.h"

namespace prismvid::vision {

/// A frame as the finders see it.
struct FrameRecord {
  FrameSignature signature;
  float structure_step = 0;  // structure_distance to the frame before
  float colour_step = 0;     // colour_distance to the frame before
};

/// The newest frames by position; old ones are dropped.
class FrameHistory {
 public:
  void add(FrameSignature signature);
  void drop_before(int64_t position);

  int64_t begin() const { return begin_; }
  int64_t end() const { return begin_ + static_cast<int64_t>(frames_.size()); }
  const FrameRecord& operator[](int64_t position) const {
    return frames_[static_cast<size_t>(position - begin_)];
  }

 private:
  std::deque<FrameRecord> frames_;
  int64_t begin_ = 0;
};

/// Decides whether a new shot begins at one frame, exact to the frame.
///
/// A cut is a step that stands out from the steps around it and after which the old picture does
/// not come back: flashes, strobes and single damaged frames return to it within kTransientFrames.
class CutFinder {
 public:
  static constexpr int64_t kTransientFrames = 5;
  static constexpr int64_t kLookAhead = 8;

  explicit CutFinder(const FrameHistory& history) : history_(history) {}

  /// By the frames so far alone: a new shot may begin at `position`.
  bool suspects(int64_t position) const;
  /// Confidence of a cut at `position`, which must be kLookAhead frames back or the video have
  /// ended.
  std::optional<float> cut_at(int64_t position) const;

 private:
  bool stands_out(int64_t position) const;
  bool returns(int64_t position) const;

  const FrameHistory& history_;
};

}  // namespace prismvid::vision
