#pragma once

#include <stop_token>

#include "core/geometry.h"
#include "deep/model.h"

namespace prismvid::deep {

struct BenchOptions {
  Size picture{1920, 1080};
  int max_tokens = 200;  // of a reply
  std::stop_token stop = {};
};

/// Seconds of what the deep stage does, with everything but decoding a file.
struct BenchResult {
  double load_seconds = 0;
  double frame_seconds = 0;    // one picture described
  double summary_seconds = 0;  // ten frames shown at once, described
  double minute_seconds = 0;   // 60 s in windows: captions of each, then a summary
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  int max_tokens = 0;
};

/// Loads the model and times it on moving patterns. Throws what the model throws.
BenchResult run_bench(ModelProvider& models, const ModelChoice& choice,
                      const BenchOptions& options);

}  // namespace prismvid::deep
