#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/results.h"
#include "vision/sample.h"
#include "vision/text/region_template.h"
#include "vision/text/text_vote.h"

namespace prismvid::vision {

/// A text that is still in the picture: where it stands and how much of it each frame showed.
/// Coordinates are pixels of the luma frames.
class OpenTrack {
 public:
  /// The text was found at `box` in `frame`.
  OpenTrack(const LumaFrame& frame, const Quad& quad);

  /// Looks back through earlier frames, given in time order, for the first that shows the text.
  void look_back(std::span<const LumaFrame* const> earlier);
  /// Looks for the text in the next frame, following it where it moves.
  void follow(const LumaFrame& frame);
  /// A sample showed the text at `quad`: takes its look anew where it has changed.
  void confirm(const LumaFrame& frame, const Quad& quad);
  void add_reading(TextReading reading) { readings_.push_back(std::move(reading)); }
  /// The frame was read and says the same: what has changed is not of the text.
  void confirm_text(const LumaFrame& frame);

  /// In the newest frame.
  bool looks_unchanged() const;
  bool looks_present() const;
  /// The same strokes at another strength.
  bool looks_faded() const;
  /// Where it stands in the newest frame.
  Quad place() const;
  Box box() const { return bounding_box(place()); }
  const Quad& quad() const { return quad_; }
  const RegionTemplate& look() const { return latest_.look; }
  std::vector<TextReading>& readings() { return readings_; }
  const std::vector<TextReading>& readings() const { return readings_; }
  int64_t first_sample_us() const { return first_sample_us_; }

  /// First frame with the text, and first frame without it after the last sample that showed it
  /// (`after_us` where the text is there to the last frame).
  int64_t start_us() const;
  int64_t end_us(int64_t after_us) const;
  void limit_start(int64_t start_us) { start_limit_us_ = start_us; }
  void limit_end(int64_t end_us) { end_limit_us_ = end_us; }
  /// The text was already there from `start_us` on, with a short gap.
  void continue_from(int64_t start_us) { continued_start_us_ = start_us; }

  /// What the role is told from.
  int confirmations = 1;
  int moving_picture_samples = 0;  // samples at which the text stood still while the picture moved
  int first_shot = 0;
  int last_shot = 0;
  bool started_with_shot = false;
  int64_t last_sample_us = 0;
  bool replaced = false;  // another text has taken its place
  bool reading_postponed = false;
  Point drift() const { return {latest_.dx + moved_.x, latest_.dy + moved_.y}; }

 private:
  void steady(const LumaFrame& frame);
  bool has_moved() const { return latest_.dx != 0 || latest_.dy != 0; }
  struct CurvePoint {
    int64_t pts_us = 0;
    float whole = 0;
  };
  struct Follower {
    RegionTemplate look;
    int dx = 0, dy = 0;  // since the look was taken
    int vx = 0, vy = 0;  // at the last step
    int lost = 0;
    Presence step(ImageView luma);
  };

  Follower first_;   // the look at the first sample, for the start
  Follower latest_;  // the newest look, for the end
  Presence now_{1, 1, 1};
  Point moved_;  // by looks before latest_
  Quad quad_;
  int64_t first_sample_us_ = 0;
  int64_t start_limit_us_ = INT64_MIN;
  int64_t end_limit_us_ = INT64_MAX;
  std::optional<int64_t> continued_start_us_;
  bool shared_look_ = true;
  int steadied_by_ = 0;  // frames that the newest look was freed of its background by
  std::vector<CurvePoint> head_;  // around the start, by first_
  std::deque<CurvePoint> tail_;   // up to now, by latest_
  std::vector<TextReading> readings_;
};

}  // namespace prismvid::vision
