#include "vision/shots/shot_timeline.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace prismvid::vision {

void ShotTimeline::add(const ShotFrame& frame, float change) {
  check(added() == 0 || frame.pts_us > last_pts_us_, ErrorCode::kInvalidArgument,
        "shot detection takes frames in order of time, got ", frame.pts_us, " us after ",
        last_pts_us_, " us");
  last_pts_us_ = frame.pts_us;
  if (added() == 0) end_us_ = frame.pts_us;
  pending_.push_back({frame.frame, frame.pts_us, frame.pts_us + frame.duration_us, change});
}

void ShotTimeline::add_boundary(const Boundary& boundary) {
  Transition transition{boundary.kind, std::nullopt};
  if (boundary.range_end > boundary.range_begin) {
    check(boundary.range_begin >= settled_, ErrorCode::kInternal,
          "a transition starts in a settled shot");
    const int64_t end_us =
        boundary.range_end < added() ? entry(boundary.range_end).pts_us : pending_.back().end_us;
    transition.range = TimeRange{entry(boundary.range_begin).pts_us, end_us};
  }
  check(boundary.position >= settled_ && boundary.position < added(), ErrorCode::kInternal,
        "a shot boundary at frame ", boundary.position, " of ", added(), ", ", settled_,
        " of them settled");
  boundaries_.push_back({boundary.position, transition, boundary.confidence});
}

void ShotTimeline::settle_before(int64_t position) {
  while (!pending_.empty() && settled_ < position) settle_front();
}

void ShotTimeline::settle_front() {
  const Entry entry = pending_.front();
  const bool boundary = !boundaries_.empty() && boundaries_.front().position == settled_;
  if (starts_us_.empty() || boundary) {
    Transition transition;
    float confidence = 1;
    if (boundary) {
      transition = boundaries_.front().transition;
      confidence = boundaries_.front().confidence;
      boundaries_.pop_front();
    }
    if (!starts_us_.empty()) close_shot(entry.frame, entry.pts_us, transition);
    open_ = Shot{};
    open_.range.start_us = entry.pts_us;
    open_.frame_start = entry.frame;
    open_.confidence = confidence;
    open_.transition = transition;
    starts_us_.push_back(entry.pts_us);
  } else {
    change_sum_ += entry.change;
    ++change_count_;
  }
  settled_frame_end_ = entry.frame + 1;
  end_us_ = entry.end_us;
  pending_.pop_front();
  ++settled_;
}

void ShotTimeline::close_shot(int64_t frame_end, int64_t end_us, const Transition& next) {
  open_.frame_end = frame_end;
  open_.range.end_us = end_us;
  open_.motion = change_count_ == 0
                     ? 0.0f
                     : static_cast<float>(change_sum_ / static_cast<double>(change_count_));
  change_sum_ = 0;
  change_count_ = 0;
  closed_.push_back({static_cast<int>(starts_us_.size()) - 1, open_, next});
}

void ShotTimeline::finish() {
  settle_before(added());
  if (!starts_us_.empty()) close_shot(settled_frame_end_, end_us_, Transition{});
}

int64_t ShotTimeline::settled_until_us() const {
  return pending_.empty() ? end_us_ : pending_.front().pts_us;
}

int ShotTimeline::shot_index_at(int64_t pts_us) const {
  check(!starts_us_.empty() && pts_us >= starts_us_.front() && pts_us < settled_until_us(),
        ErrorCode::kInvalidArgument, "the shot at ", pts_us, " us is not known, settled until ",
        settled_until_us());
  const auto after = std::upper_bound(starts_us_.begin(), starts_us_.end(), pts_us);
  return static_cast<int>(after - starts_us_.begin()) - 1;
}

std::vector<SettledShot> ShotTimeline::take_settled() {
  return std::exchange(closed_, {});
}

}  // namespace prismvid::vision
