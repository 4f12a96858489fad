#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace prismvid::cli {
namespace {

using pipeline::Progress;

constexpr int kBarCells = 24;

double done_share(const Progress& progress) {
  if (progress.total_us <= 0) return 0;
  return std::clamp(static_cast<double>(progress.media_us) / static_cast<double>(progress.total_us), 0.0, 1.0);
}

/// "frames  1:12.500 of 10:00.000  8.4x real time  1:03 left"
std::string describe(const Progress& progress) {
  std::string text = progress.stage;
  if (progress.total_us > 0)
    text += "  " + format_clock(progress.media_us) + " of " + format_clock(progress.total_us);
  char number[48];
  if (progress.times_realtime > 0) {
    std::snprintf(number, sizeof number, "  %.1fx real time", progress.times_realtime);
    text += number;
  }
  if (progress.seconds_left >= 0) {
    const int seconds = static_cast<int>(progress.seconds_left + 0.5);
    std::snprintf(number, sizeof number, "  %d:%02d left", seconds / 60, seconds % 60);
    text += number;
  }
  return text;
}

void print_bar(const Progress& progress) {
  const int filled = static_cast<int>(done_share(progress) * kBarCells);
  std::string bar;
  for (int i = 0; i < kBarCells; ++i) bar += i < filled ? "█" : "░";
  std::cerr << "\r\033[K" << bar << ' ' << describe(progress) << std::flush;
}

void print_json(const Progress& progress) {
  const nlohmann::json line = {{"video", progress.video},
                               {"stage", progress.stage},
                               {"media_seconds", static_cast<double>(progress.media_us) / 1e6},
                               {"total_seconds", static_cast<double>(progress.total_us) / 1e6},
                               {"times_realtime", progress.times_realtime},
                               {"seconds_left", progress.seconds_left < 0 ? nlohmann::json() : nlohmann::json(progress.seconds_left)}};
  std::cerr << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace

ProgressStyle default_progress_style() { return isatty(STDERR_FILENO) ? ProgressStyle::kBar : ProgressStyle::kLines; }

void ProgressBar::show(const Progress& progress) {
  using namespace std::chrono_literals;
  if (style_ == ProgressStyle::kNone) return;
  const auto now = std::chrono::steady_clock::now();
  const bool lines = style_ == ProgressStyle::kLines;
  const std::chrono::milliseconds shortest = lines ? 10s : 200ms;
  if ((lines || progress.stage == last_stage_) && now - last_shown_ < shortest) return;
  last_stage_ = progress.stage;
  last_shown_ = now;
  switch (style_) {
    case ProgressStyle::kBar:
      print_bar(progress);
      drawn_ = true;
      break;
    case ProgressStyle::kLines: std::cerr << progress.video << ": " << describe(progress) << '\n'; break;
    case ProgressStyle::kJson: print_json(progress); break;
    case ProgressStyle::kNone: break;
  }
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::cerr << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace prismvid::cli
