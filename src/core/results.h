#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/media_time.h"

// What the fast stage finds, as plain values: written by vision, stored and shown by document.
// Times are microseconds from the first presented frame; boxes are 0..1 of the displayed picture.
namespace prismvid {

enum class TransitionKind { kStart, kCut, kDissolve, kFade, kWipe, kOther };

struct Transition {
  TransitionKind kind = TransitionKind::kStart;
  std::optional<TimeRange> range;  // gradual transitions only; the shot boundary is its middle
};

struct Keyframe {
  int64_t pts_us = 0;
  int64_t frame = 0;
  float score = 0;               // 0..1, sharpness and representativeness
  std::vector<uint8_t> jpeg;
};

struct Shot {
  TimeRange range;
  int64_t frame_start = 0;
  int64_t frame_end = 0;         // exclusive
  float confidence = 1;
  float motion = 0;              // mean change between frames, 0..1
  Transition transition;         // how this shot begins
  std::vector<Keyframe> keyframes;
};

/// A run of whole shots: [first_shot, last_shot] both inclusive.
struct Scene {
  int first_shot = 0;
  int last_shot = 0;
};

enum class MarkerKind { kBlack, kFreeze };

struct Marker {
  MarkerKind kind = MarkerKind::kBlack;
  TimeRange range;
};

struct Detection {
  Box box;
  float score = 0;
  int class_id = 0;
};

struct TrackPoint {
  int64_t pts_us = 0;
  Box box;
  float score = 0;
};

struct ObjectTrack {
  std::string label;
  float confidence = 0;
  TimeRange range;
  std::vector<TrackPoint> points;  // one for each analysed frame in which it was seen
  size_t best = 0;                 // index into points
  std::vector<uint8_t> thumbnail_jpeg;
};

struct FaceTrack {
  TimeRange range;
  std::vector<TrackPoint> points;
  size_t best = 0;
  float quality = 0;               // 0..1, from size, sharpness and pose of the best face
  std::vector<float> embedding;    // L2-normalised; empty where no face of the track was good enough
  std::vector<uint8_t> thumbnail_jpeg;
};

enum class TextRole { kSubtitle, kOverlay, kScene, kCredits, kUnknown };

struct TextTrack {
  std::string text;                // UTF-8, NFC
  std::string language;            // BCP 47, empty when not known
  float confidence = 0;
  TextRole role = TextRole::kUnknown;
  TimeRange range;
  Quad quad{};
  float angle_degrees = 0;
  int observations = 0;
};

struct LabelScore {
  std::string name;
  float confidence = 0;
};

/// Labels of one keyframe, best first.
struct KeyframeLabels {
  int64_t pts_us = 0;
  std::vector<LabelScore> labels;
};

struct TranscriptSegment {
  TimeRange range;
  std::string text;
  std::string speaker;
};

enum class TranscriptOrigin { kEmbeddedSubtitles, kSidecar };

struct Transcript {
  std::string language;            // BCP 47, "und" when not known
  TranscriptOrigin origin = TranscriptOrigin::kEmbeddedSubtitles;
  std::vector<TranscriptSegment> segments;
};

}  // namespace prismvid
