#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/image.h"
#include "core/results.h"

namespace prismvid::vision {

struct ModelManifest;

/// One frame of the video at low resolution: every frame is handed in, in presentation order.
struct ShotFrame {
  int64_t frame = 0;
  int64_t pts_us = 0;
  int64_t duration_us = 0;
  ImageView picture;  // RGB of exactly ShotDetector::picture_size(); valid during the call only
};

/// A shot whose end is final, and how the shot after it begins.
struct SettledShot {
  int index = 0;    // 0, 1, 2 ... without gaps
  Shot shot;        // without keyframes: KeyframeSelector finds them
  Transition next;  // kStart where the analysed range ends
};

/// Splits a stream of frames into shots, online: memory is bounded but for one time a shot.
///
/// A frame is settled once it is final which shot it belongs to. The decision lags behind the
/// newest frame by kMaxLagFrames at most, also inside a shot that is still open; so a stage can
/// take frames before settled_until_us() with their shot_index_at() while the shot goes on.
///
/// Shots tile the analysed range: each ends where the next one starts, on a frame's pts. The
/// boundary of a gradual transition is the middle frame of its range.
class ShotDetector {
 public:
  static constexpr int kMaxLagFrames = 160;

  virtual ~ShotDetector() = default;

  /// Size of the pictures, whatever the shape of the video.
  virtual Size picture_size() const = 0;
  /// Throws Error(kInvalidArgument) on a picture of another size or a time that does not increase.
  virtual void add(const ShotFrame& frame) = 0;
  /// True when the frame just added may be one of few in its shot: keep it as a keyframe candidate
  /// besides the regular samples, so that every shot has one.
  virtual bool wants_candidate() const = 0;
  /// No more frames: everything is settled.
  virtual void finish() = 0;

  /// Frames before this time are settled; after finish() the end of the last frame.
  virtual int64_t settled_until_us() const = 0;
  /// The shot at a time before settled_until_us(); throws Error(kInvalidArgument) after it.
  virtual int shot_index_at(int64_t pts_us) const = 0;
  /// Shots that were settled since the last call, in order of time.
  virtual std::vector<SettledShot> take_settled() = 0;
  /// Black and freeze markers that ended since the last call, in order of their end.
  virtual std::vector<Marker> take_markers() = 0;
};

/// The default: compares frames after motion compensation. Costs well under a millisecond a frame.
std::unique_ptr<ShotDetector> make_shot_detector();

/// `--shots accurate`: TransNetV2 (task "shot_detection"). Throws Error(kModel) when it cannot be
/// loaded.
std::unique_ptr<ShotDetector> make_accurate_shot_detector(const ModelManifest& manifest,
                                                          int threads = 0);

/// Part of cache keys: changes whenever the same frames may give other shots.
inline constexpr const char* kShotDetectorVersion = "motion-compensated/3";
inline constexpr const char* kAccurateShotDetectorVersion = "transnetv2/1";

}  // namespace prismvid::vision
