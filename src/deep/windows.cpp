#include "deep/windows.h"

namespace prismvid::deep {
namespace {

void add_long_shot(const TimeRange& shot, int64_t longest_us, std::vector<TimeRange>& windows) {
  const int64_t parts = (shot.duration_us() + longest_us - 1) / longest_us;
  for (int64_t i = 0; i < parts; ++i)
    windows.push_back({shot.start_us + shot.duration_us() * i / parts,
                       shot.start_us + shot.duration_us() * (i + 1) / parts});
}

}  // namespace

std::vector<TimeRange> cut_windows(std::span<const document::DocumentShot> shots,
                                   const Feeding& feeding) {
  std::vector<TimeRange> windows;
  TimeRange open{0, 0};
  int in_open = 0;
  const auto close = [&] {
    if (in_open > 0) windows.push_back(open);
    in_open = 0;
  };
  for (const document::DocumentShot& shot : shots) {
    const bool full = feeding.window_shots > 0 && in_open == feeding.window_shots;
    if (in_open > 0 && (full || shot.range.end_us - open.start_us > feeding.window_us)) close();
    if (shot.range.duration_us() > feeding.window_us) {
      add_long_shot(shot.range, feeding.window_us, windows);
      continue;
    }
    if (in_open++ == 0) open.start_us = shot.range.start_us;
    open.end_us = shot.range.end_us;
  }
  close();
  return windows;
}

}  // namespace prismvid::deep
