#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/image.h"
#include "core/results.h"
#include "vision/shots/scene_grouping.h"
#include "vision/shots/shot_detector.h"

namespace prismvid::vision {

/// Longest side of candidates, and so of keyframes.
inline constexpr int kKeyframeSide = 640;

struct KeyframeOptions {
  int64_t per_keyframe_us = 15'000'000;  // at most one keyframe and one more for each of these
  int max_keyframes = 8;
  int jpeg_quality = 85;
};

/// Keyframes of one shot, in order of time, and what it looks like.
struct ShotKeyframes {
  std::vector<Keyframe> keyframes;
  ShotSignature signature;  // of the best keyframe
};

/// Picks sharp, representative keyframes, not black and not inside a transition where there is a
/// choice.
///
/// What the pipeline does: it renders (Frame::rgb(fit_within(display_size, kKeyframeSide))) the
/// regular samples (2 a second, say) and each frame for which ShotDetector::wants_candidate() was
/// true, holds them until settled_until_us() has passed them, then calls add() with their
/// shot_index_at() in order of time. When take_settled() yields a shot, all of its candidates that
/// were settled must have been added; then take(). That way every shot has at least one candidate.
/// Of a long shot kCandidates pictures at most are kept.
class KeyframeSelector {
 public:
  static constexpr size_t kCandidates = 24;

  explicit KeyframeSelector(const KeyframeOptions& options = {}) : options_(options) {}

  /// `rgb` is copied. Throws Error(kInvalidArgument) when it is empty or not RGB.
  void add(int shot, int64_t frame, int64_t pts_us, ImageView rgb);
  bool has_candidate(int shot) const { return shots_.contains(shot); }
  /// The keyframes of a shot whose candidates were all added; forgets them. Empty only when it had
  /// no candidate.
  ShotKeyframes take(const SettledShot& settled);

 private:
  struct Candidate {
    int64_t frame = 0;
    int64_t pts_us = 0;
    Image picture;
    ShotSignature signature;
    float sharpness = 0;  // mean squared gradient
    float exposure = 0;   // 0 black, white or empty .. 1
    float score = 0;
  };
  struct ShotCandidates {
    std::vector<Candidate> kept;
    int64_t spacing_us = 0;  // one candidate is kept in each stretch of this length
  };

  static void thin(ShotCandidates& shot);
  static void rate(std::vector<Candidate>& candidates, const SettledShot& settled);
  std::vector<size_t> choose(const std::vector<Candidate>& candidates, const Shot& shot) const;

  KeyframeOptions options_;
  std::map<int, ShotCandidates> shots_;
};

}  // namespace prismvid::vision
