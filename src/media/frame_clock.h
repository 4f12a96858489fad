#pragma once

#include <cstdint>

#include "media/ffmpeg.h"

namespace prismvid::media {

/// Gives every picture of a pass a time that only grows: repairs missing, repeated and restarted
/// timestamps.
class FrameClock {
 public:
  /// `typical_duration` of a frame and times are in `time_base`; `may_restart` for containers such
  /// as MPEG-TS, whose clock may jump anywhere.
  FrameClock(AVRational time_base, int64_t typical_duration, bool may_restart);

  /// Ticks since the first picture. Call once a picture, in presentation order.
  int64_t next(const AVFrame& frame);

  int64_t microseconds(int64_t ticks) const;
  int64_t ticks(int64_t microseconds) const;

  /// The timestamp of the first picture, in time_base.
  int64_t first() const { return first_; }
  int64_t last() const { return last_; }
  int64_t repaired() const { return repaired_; }
  int64_t typical_duration() const { return typical_duration_; }

  /// Goes on from a later place of the same file, after a seek: the next picture may be anywhere
  /// after the first.
  void jump() { jumped_ = true; }

 private:
  int64_t repair(int64_t ticks);

  AVRational time_base_;
  int64_t typical_duration_;
  bool may_restart_;
  bool started_ = false;
  bool jumped_ = false;
  int64_t first_ = 0;
  int64_t last_ = 0;    // since first_
  int64_t offset_ = 0;  // added to timestamps after a restart
  int64_t repaired_ = 0;
};

}  // namespace prismvid::media
