#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/media_time.h"
#include "media/open_video.h"

namespace prismvid::pipeline {

/// What a user can ask for, in the order the stages run. "shots" is always computed: the others hang on it.
inline const std::vector<std::string> kFeatures = {"shots", "scenes", "objects", "faces", "ocr", "labels", "places", "transcript"};

/// The same of the deep stage. All but "describe" read the captions.
inline const std::vector<std::string> kDeepFeatures = {"caption", "describe", "chapters", "summary", "story", "highlights"};

/// Splits "shots,ocr,caption" or "all", which is all of the fast stage. Where only one half is named, the other is not in
/// the result. Throws Error(kInvalidArgument) naming what is known.
std::set<std::string> parse_features(const std::string& text);

enum class DeepMode {
  kOff,
  kAuto,  // where a model is there and fits; else the fast result stands alone and says so
  kOn     // the same, but a missing model counts as a failure
};

/// off, auto, on.
DeepMode parse_deep_mode(const std::string& text);

struct DeepOptions {
  DeepMode mode = DeepMode::kOff;
  std::string model;            // a folder or a name in the Hugging Face cache; empty = the best installed
  std::string language = "en";  // of everything that is written
  std::set<std::string> features{kDeepFeatures.begin(), kDeepFeatures.end()};
};

/// "10-20", "1:05-", "-30" as a range of source time. An open end is the largest time.
TimeRange parse_range(const std::string& text);

/// "2", "2.5" or "30000/1001" as an exact rate; throws Error(kInvalidArgument) unless 0 < rate <= 120.
Rational parse_rate(const std::string& text);

/// none, auto, videotoolbox, cuda, vaapi.
media::HardwareDecoding parse_hardware(const std::string& text);

struct AnalyzeOptions {
  std::set<std::string> features{kFeatures.begin(), kFeatures.end()};
  Rational sample_rate{2, 1};         // analysed frames a second
  std::optional<TimeRange> range;     // source time; the whole video when empty
  bool accurate_shots = false;        // TransNetV2 instead of the fast detector
  std::string detector;               // id of an object detector; empty = the first installed
  media::HardwareDecoding hardware = media::HardwareDecoding::kNone;
  int threads = 0;                    // 0 = all that this process may use
  bool apple_vision = false;          // Apple's Vision framework for text, faces and labels: macOS only
  bool exact = false;                 // f32 everywhere, also where bf16 is faster
  bool force = false;                 // run every stage again, whatever is stored
  DeepOptions deep;
};

/// Where an analysis is, for a progress bar. Media times are within the analysed range.
struct Progress {
  std::string video;
  std::string stage;                  // "hash", "probe", "frames", "labels", ...
  int64_t media_us = 0;
  int64_t total_us = 0;               // 0 when not known
  double times_realtime = 0;
  double seconds_left = -1;           // -1 when not known
};

using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace prismvid::pipeline
