#include "pipeline/shot_follower.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "core/error.h"

namespace prismvid::pipeline {
namespace {

/// Timings are kept of one frame in this many: enough for percentiles, and small for a long video.
constexpr int64_t kTimedEvery = 16;

}  // namespace

int64_t KnownShots::settled_until_us() const { return std::numeric_limits<int64_t>::max(); }

int KnownShots::shot_index_at(int64_t pts_us) const {
  auto starts_after = [](int64_t t_us, const Shot& shot) { return t_us < shot.range.start_us; };
  const auto next = std::upper_bound(shots_.begin(), shots_.end(), pts_us, starts_after);
  return std::max(0, static_cast<int>(next - shots_.begin()) - 1);
}

bool LiveShots::add(const media::Frame& frame) {
  const auto start = std::chrono::steady_clock::now();
  const Image picture = frame.rgb(detector_->picture_size());
  detector_->add({frame.index, frame.pts_us, frame.duration_us, picture});
  const std::chrono::duration<float, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  wall_ms_ += elapsed.count();
  if (frame.index % kTimedEvery == 0) ms_per_frame_.push_back(elapsed.count());
  return detector_->wants_candidate();
}

void LiveShots::add_candidate(int64_t frame, int64_t pts_us, ImageView picture) {
  selector_.add(detector_->shot_index_at(pts_us), frame, pts_us, picture);
}

void LiveShots::close_settled() {
  for (const vision::SettledShot& settled : detector_->take_settled()) {
    vision::ShotKeyframes chosen = selector_.take(settled);
    check(!chosen.keyframes.empty(), ErrorCode::kInternal, "shot ", settled.index, " has no keyframe");
    Shot shot = settled.shot;
    for (Keyframe& keyframe : chosen.keyframes) {
      keep_(keyframes_++, std::move(keyframe.jpeg));
      keyframe.jpeg.clear();
      shot.keyframes.push_back(std::move(keyframe));
    }
    value_.shots.push_back(std::move(shot));
  }
  for (const Marker& marker : detector_->take_markers()) value_.markers.push_back(marker);
}

}  // namespace prismvid::pipeline
