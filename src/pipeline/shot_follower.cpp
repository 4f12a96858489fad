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
  small_frames_.push_back({frame.index, frame.pts_us, frame.rgb(detector_->picture_size())});
  detector_->add({frame.index, frame.pts_us, frame.duration_us, small_frames_.back().picture});
  const std::chrono::duration<float, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  wall_ms_ += elapsed.count();
  if (frame.index % kTimedEvery == 0) ms_per_frame_.push_back(elapsed.count());
  return detector_->wants_candidate();
}

void LiveShots::add_candidate(int64_t frame, int64_t pts_us, ImageView picture) {
  selector_.add(detector_->shot_index_at(pts_us), frame, pts_us, picture);
}

/// A shot so short that no sample fell into it, and whose start nobody suspected: its keyframe is what the detector saw.
void LiveShots::ensure_candidate(const vision::SettledShot& settled) {
  const auto is_before = [](const SmallFrame& frame, int64_t t_us) { return frame.pts_us < t_us; };
  const auto place = [&](int64_t t_us) { return std::lower_bound(small_frames_.begin(), small_frames_.end(), t_us, is_before); };
  const auto begin = place(settled.shot.range.start_us), end = place(settled.shot.range.end_us);
  if (!selector_.has_candidate(settled.index) && begin != end) {
    const SmallFrame& middle = *(begin + (end - begin) / 2);
    selector_.add(settled.index, middle.index, middle.pts_us, middle.picture);
  }
  small_frames_.erase(small_frames_.begin(), end);
  open_shot_ = settled.index + 1;
}

/// Of the open shot's settled frames one at most is kept, and none once it has a candidate.
void LiveShots::drop_small_frames() {
  const int64_t settled_us = detector_->settled_until_us();
  auto first = small_frames_.begin();
  const auto last = std::find_if(first, small_frames_.end(), [&](const SmallFrame& frame) { return frame.pts_us >= settled_us; });
  if (first != last && !selector_.has_candidate(open_shot_)) ++first;
  small_frames_.erase(first, last);
}

void LiveShots::close_settled() {
  for (const vision::SettledShot& settled : detector_->take_settled()) {
    ensure_candidate(settled);
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
  drop_small_frames();
}

}  // namespace prismvid::pipeline
