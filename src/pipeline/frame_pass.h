#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "media/frame_source.h"
#include "pipeline/shot_follower.h"
#include "pipeline/stage_worker.h"

namespace prismvid::pipeline {

struct FramePassOptions {
  Rational sample_rate{2, 1};
  int64_t start_us = 0;  // samples are taken from here on
  bool one_at_a_time = false;  // each sample goes through all detectors before the next frame, for measuring
  std::function<void(const std::string& stage, const Blob& blob)> keep_early = {};  // of detectors' results; none: they are dropped
};

/// The one linear pass over a video: every frame goes to the shots, some become samples for the detectors, in order of
/// time and once their shot is settled. Detectors work beside the pass, a few samples behind it at most. Memory does not
/// grow with the video's length. Not thread-safe.
class FramePass {
 public:
  FramePass(const FramePassOptions& options, ShotFollower& shots, std::vector<RunningStage>& stages);

  /// Throws Error(kCancelled) when stopped, and whatever the source throws.
  void run(media::FrameSource& source, std::stop_token stop, const std::function<void(int64_t pts_us)>& on_progress);

  int64_t frames() const { return frames_; }
  int64_t samples() const { return samples_; }
  /// How long each sample took to be handed on: all of its analysis where options.one_at_a_time.
  const std::vector<float>& ms_per_sample() const { return ms_per_sample_; }
  /// What follows the last sample and the end of the last frame, for finish() of the stages.
  std::span<const vision::LumaFrame> rest() const { return luma_; }
  int64_t end_us() const { return end_us_; }

 private:
  struct Waiting {
    int64_t frame;
    int64_t pts_us;
    int64_t duration_us;
    Image sample;     // empty unless this frame is analysed
    Image candidate;  // empty unless it may become a keyframe
    Image luma;       // empty unless some stage looks at every frame
  };

  bool is_due(int64_t pts_us);
  void take(const media::Frame& frame);
  void hand_on(int64_t before_us);
  void analyse(Waiting& waiting);
  void keep_early_blobs();

  FramePassOptions options_;
  ShotFollower& shots_;
  std::vector<RunningStage>& stages_;
  bool needs_luma_ = false;
  std::deque<Waiting> waiting_;
  std::vector<vision::LumaFrame> luma_;
  int64_t last_tick_ = -1;
  int64_t end_us_ = 0;
  int64_t frames_ = 0;
  int64_t samples_ = 0;
  std::vector<float> ms_per_sample_;
  std::vector<std::unique_ptr<StageWorker>> workers_;  // one a stage, during run()
};

}  // namespace prismvid::pipeline
