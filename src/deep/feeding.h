#pragma once

#include <cstdint>
#include <filesystem>

namespace prismvid::deep {

/// How a video is shown to the model: many small frames for the course of events, a few large
/// keyframes for detail (docs/deep.md has the measurement).
struct Feeding {
  double frames_per_second = 2;
  int64_t window_us = 20'000'000;  // the longest window
  int window_shots = 0;            // most shots of a window; 0: as many as fit
  int frame_tokens = 64;           // most of a pair of frames
  int keyframes = 2;               // large pictures of a window
  int keyframe_tokens = 360;       // most of one of them
  int reading_tokens = 6000;       // most of a text that is read at once
};

/// What `prismvid.json` in a checkpoint's folder recommends, the values above where it says
/// nothing. Throws Error(kModel) for a damaged file.
Feeding read_feeding(const std::filesystem::path& model_folder);

}  // namespace prismvid::deep
