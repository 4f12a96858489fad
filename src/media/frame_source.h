#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/media_time.h"

namespace prismvid::media {

struct AudioStream {
  int index = 0;
  std::string codec;
  int channels = 0;
  int sample_rate = 0;
  std::string language;
};

/// What the container and the codec say of a video, corrected by what was decoded where they lie.
struct VideoInfo {
  std::string container;  // short name, for example "mp4"
  std::string codec;      // for example "h264"
  Size coded_size;        // as stored
  Size display_size;      // after rotation and pixel aspect
  int rotation = 0;       // degrees clockwise to show it upright: 0, 90, 180, 270
  Rational sample_aspect{1, 1};
  Rational frame_rate{0, 1};  // average; {0, 1} when not known
  Rational time_base{1, 1};
  int64_t start_pts = 0;    // of the first presented frame, in time_base
  int64_t duration_us = 0;  // as declared until the end was reached, then as decoded
  int64_t frames = 0;       // declared or estimated, then as decoded
  bool variable_frame_rate = false;
  std::vector<AudioStream> audio;
};

/// One decoded picture, immutable. Thread-safe; may outlive its source.
class Frame {
 public:
  virtual ~Frame() = default;
  int64_t index = 0;        // in presentation order, 0 = first presented frame of the file
  int64_t pts_us = 0;       // from the first presented frame of the file
  int64_t duration_us = 0;  // to the next frame

  /// Size of the displayed picture.
  virtual Size display_size() const = 0;
  /// The displayed picture as RGB, area-averaged or interpolated to exactly `size`.
  virtual Image rgb(Size size) const = 0;
  /// Its luma (full range, 0 black to 255 white), area-averaged to exactly `size`.
  virtual Image luma(Size size) const = 0;
};

/// Where frames come from: a file, or a synthetic clip in tests.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual const VideoInfo& info() const = 0;
  /// The next frame in presentation order, nullptr at the end. Throws Error(kNotVideo) only when
  /// nothing decodes at all; damage in the middle is skipped and told by warnings().
  virtual std::shared_ptr<const Frame> next() = 0;
  /// What was wrong with the file but did not stop the analysis.
  virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace prismvid::media
