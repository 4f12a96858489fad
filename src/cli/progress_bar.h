#pragma once

#include <chrono>
#include <string>

#include "pipeline/options.h"

namespace prismvid::cli {

enum class ProgressStyle { kBar, kLines, kJson, kNone };

/// A bar that is redrawn on a terminal, otherwise a plain line every ten seconds.
ProgressStyle default_progress_style();

/// Shows the progress of one video on standard error. Not thread-safe.
class ProgressBar {
 public:
  explicit ProgressBar(ProgressStyle style) : style_(style) {}
  ~ProgressBar() { clear(); }

  void show(const pipeline::Progress& progress);
  /// Removes the bar so that other lines can be printed.
  void clear();

 private:
  ProgressStyle style_;
  std::string last_stage_;
  std::chrono::steady_clock::time_point last_shown_ = std::chrono::steady_clock::now();
  bool drawn_ = false;
};

}  // namespace prismvid::cli
