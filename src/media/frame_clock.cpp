#include "media/frame_clock.h"

#include <algorithm>
#include <utility>

namespace prismvid::media {
namespace {

constexpr AVRational kMicrosecond{1, 1000000};
constexpr int64_t kRestartBackUs = 1000000;      // further back than reordering explains
constexpr int64_t kRestartForwardUs = 10000000;  // as FFmpeg's dts_delta_threshold

}  // namespace

FrameClock::FrameClock(AVRational time_base, int64_t typical_duration, bool may_restart)
    : time_base_(time_base),
      typical_duration_(std::max<int64_t>(1, typical_duration)),
      may_restart_(may_restart) {}

int64_t FrameClock::microseconds(int64_t ticks) const {
  return av_rescale_q(ticks, time_base_, kMicrosecond);
}

int64_t FrameClock::ticks(int64_t microseconds) const {
  return av_rescale_q(microseconds, kMicrosecond, time_base_);
}

int64_t FrameClock::next(const AVFrame& frame) {
  const int64_t stamp = frame.best_effort_timestamp;
  const bool missing = stamp == AV_NOPTS_VALUE;
  if (!started_) {
    started_ = true;
    first_ = missing ? 0 : stamp;
    repaired_ += missing;
    return last_ = 0;
  }
  if (std::exchange(jumped_, false) && !missing) return last_ = stamp - first_;
  if (missing) {
    ++repaired_;
    return last_ += typical_duration_;
  }
  return last_ = repair(stamp - first_ + offset_);
}

int64_t FrameClock::repair(int64_t ticks) {
  const int64_t step_us = microseconds(ticks - last_);
  if (step_us < -kRestartBackUs || (may_restart_ && step_us > kRestartForwardUs)) {
    ++repaired_;
    offset_ += last_ + typical_duration_ - ticks;
    return last_ + typical_duration_;
  }
  if (ticks > last_) return ticks;
  ++repaired_;
  return last_ + 1;
}

}  // namespace prismvid::media
