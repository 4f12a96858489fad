#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/results.h"
#include "vision/objects/byte_tracker.h"
#include "vision/sample.h"

namespace prismvid::vision {

/// Makes object tracks of the detections of each sample. Memory holds the live tracks only: one
/// small picture each.
class ObjectTracker {
 public:
  explicit ObjectTracker(std::vector<std::string> classes, ByteTrackOptions options = sparse());

  /// For about two samples a second: boxes are grown a little before they are compared.
  static ByteTrackOptions sparse();

  /// One sample with all its detections, also those with low scores. A new shot ends all tracks.
  void update(const Sample& sample, std::span<const Detection> detections);

  /// Ends all tracks: nothing more is coming.
  void finish();

  /// The tracks that ended since the last call, in the order in which they began. A track's range
  /// runs from its first sample to half way to the next one in which it was not seen (to its last
  /// sample where its shot ended).
  std::vector<ObjectTrack> take_finished();

 private:
  struct Live {
    ObjectTrack track;
    float best_value = 0;
    Image best_crop;
  };

  void add(Live& live, const Sample& sample, const Detection& detection);
  void settle_ends(int64_t pts_us);

  std::vector<std::string> classes_;
  ByteTracker tracker_;
  std::map<TrackId, Live> live_;
  int shot_ = -1;
  static constexpr int64_t kNever = -1;
  int64_t last_pts_us_ = kNever;  // of the last sample of this shot
};

}  // namespace prismvid::vision
