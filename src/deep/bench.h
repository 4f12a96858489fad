#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>

#include "core/geometry.h"
#include "deep/model.h"
#include "deep/video_bench.h"

namespace prismvid::deep {

struct BenchOptions {
  Size picture{1920, 1080};
  int max_tokens = 200;  // of a reply
  /// Above 0: every reply has so many, wherever the model would end it.
  int reply_tokens = 0;
  std::filesystem::path video;  // empty: none
  bool only_video = false;      // neither pictures nor patterns
  std::stop_token stop = {};
};

/// Seconds of what the deep stage does, with everything but decoding a file.
struct BenchResult {
  double load_seconds = 0;
  double frame_seconds = 0;    // one picture described
  double summary_seconds = 0;  // ten frames shown at once, described
  double minute_seconds = 0;   // 60 s in windows: captions of all, then a summary
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  std::optional<VideoBenchResult> video;
};

/// Loads the model and times it on moving patterns, then on a video where there is one. Throws what
/// the model and the video throw.
BenchResult run_bench(ModelProvider& models, const ModelChoice& choice,
                      const BenchOptions& options);

}  // namespace prismvid::deep
