#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/results.h"
#include "vision/objects/motion.h"

namespace prismvid::vision {

using TrackId = int64_t;
inline constexpr TrackId kNoTrack = -1;

struct ByteTrackOptions {
  float high_score = 0.5f;  // from here on a detection is matched first and may start a track
  float low_score =
      0.1f;  // below the high score, it only continues a track; under this it is ignored
  float new_track_score = 0.6f;  // a detection that matched nothing starts a track from here on
  float match_overlap = 0.2f;    // least overlap times score of a first match
  float low_match_overlap =
      0.5f;             // least overlap of a match with a low score: an object half hidden
  float margin = 0.0f;  // boxes are grown by this share of their size on each side before overlap
                        // is taken (buffered IoU, Yang et al. 2023): for few samples a second
  int64_t lost_us = 2'000'000;  // a track that is not seen for longer has ended
};

/// Follows boxes through time by ByteTrack's association (Zhang et al., ECCV 2022): every detection
/// counts, those with high scores are matched first, then those with low scores to the tracks that
/// are left, by overlap with where each track should be now. Classes never mix. It keeps no boxes
/// and pictures of the past: the caller does, by id. One difference: a new track counts at once, as
/// at two samples a second the next look may come too late.
class ByteTracker {
 public:
  explicit ByteTracker(const ByteTrackOptions& options = {});

  /// One sample, later than the last one. Gives for each detection its track, or kNoTrack.
  /// `picture_aspect` is the picture's width / height where boxes are 0..1 of it, 1 where they are
  /// in pixels.
  std::vector<TrackId> update(int64_t pts_us, std::span<const Detection> detections,
                              float picture_aspect = 1);

  /// Ends every track: a new shot, or the video's end.
  void end_all();

  /// The tracks that ended since the last call.
  std::vector<TrackId> take_ended();

  /// Tracks that are followed now, seen or lost.
  size_t live() const { return tracks_.size(); }

 private:
  struct Track {
    TrackId id;
    int class_id;
    int64_t seen_us;
    bool lost;
    BoxMotion motion;
  };

  struct Candidates {
    std::vector<size_t> tracks;
    std::vector<size_t> detections;
  };

  void advance(int64_t pts_us);
  void match(int64_t pts_us, std::span<const Detection> detections, Candidates& candidates,
             bool first, std::vector<TrackId>& ids);
  std::vector<float> costs(std::span<const Detection> detections, const Candidates& candidates,
                           bool first) const;
  void start(int64_t pts_us, const Detection& detection, TrackId& id);
  void drop_lost(int64_t pts_us);
  Box scaled(const Box& box) const;

  ByteTrackOptions options_;
  float picture_aspect_ = 1;
  std::vector<Track> tracks_;
  std::vector<TrackId> ended_;
  TrackId next_id_ = 0;
  int64_t pts_us_ = 0;
};

}  // namespace prismvid::vision
