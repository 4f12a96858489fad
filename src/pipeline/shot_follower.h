#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "document/stage_values.h"
#include "media/frame_source.h"
#include "vision/shots/keyframe_selector.h"
#include "vision/shots/shot_detector.h"

namespace prismvid::pipeline {

inline constexpr int kCandidateSide = vision::kKeyframeSide;

/// Tells the decode pass which shot a frame is in: found on the way, or known from an earlier run.
class ShotFollower {
 public:
  virtual ~ShotFollower() = default;
  /// Every frame. True when it may be the only keyframe candidate of its shot.
  virtual bool add(const media::Frame& frame) = 0;
  virtual void finish() = 0;
  /// Frames before this time have their shot.
  virtual int64_t settled_until_us() const = 0;
  virtual int shot_index_at(int64_t pts_us) const = 0;
  virtual bool wants_candidates() const { return false; }
  virtual void add_candidate(int64_t /*frame*/, int64_t /*pts_us*/, ImageView /*picture*/) {}
  /// All candidates before settled_until_us() were added.
  virtual void close_settled() {}
};

/// Shots of an earlier run.
class KnownShots : public ShotFollower {
 public:
  explicit KnownShots(std::vector<Shot> shots) : shots_(std::move(shots)) {}
  bool add(const media::Frame&) override { return false; }
  void finish() override {}
  int64_t settled_until_us() const override;
  int shot_index_at(int64_t pts_us) const override;

 private:
  std::vector<Shot> shots_;
};

/// Finds shots and keyframes. Keyframe pictures go to `keep` as they are chosen, so that they need not wait in memory.
class LiveShots : public ShotFollower {
 public:
  using KeepPicture = std::function<void(size_t keyframe, std::vector<uint8_t> jpeg)>;

  LiveShots(std::unique_ptr<vision::ShotDetector> detector, KeepPicture keep)
      : detector_(std::move(detector)), keep_(std::move(keep)) {}

  bool add(const media::Frame& frame) override;
  void finish() override { detector_->finish(); }
  int64_t settled_until_us() const override { return detector_->settled_until_us(); }
  int shot_index_at(int64_t pts_us) const override { return detector_->shot_index_at(pts_us); }
  bool wants_candidates() const override { return true; }
  void add_candidate(int64_t frame, int64_t pts_us, ImageView picture) override;
  void close_settled() override;

  /// Everything found, after the pass. Keyframes are without their pictures.
  const document::ShotsValue& value() const { return value_; }
  double wall_ms() const { return wall_ms_; }
  const std::vector<float>& ms_per_frame() const { return ms_per_frame_; }

 private:
  /// What the detector saw of a frame.
  struct SmallFrame {
    int64_t index;
    int64_t pts_us;
    Image picture;
  };
  void ensure_candidate(const vision::SettledShot& settled);
  void drop_small_frames();

  std::unique_ptr<vision::ShotDetector> detector_;
  std::deque<SmallFrame> small_frames_;  // of the open shot and after
  int open_shot_ = 0;
  KeepPicture keep_;
  vision::KeyframeSelector selector_;
  document::ShotsValue value_;
  double wall_ms_ = 0;
  std::vector<float> ms_per_frame_;
  size_t keyframes_ = 0;
};

}  // namespace prismvid::pipeline
