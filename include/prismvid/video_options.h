#pragma once

#include <cstdint>
#include <optional>

namespace prismvid {

/// What to show of a video; what is not set is the checkpoint's default. All can be combined.
struct VideoOptions {
  std::optional<double> fps = {};  // frames to take a second
  std::optional<int> frames = {};  // exactly so many; with fps, at most so many
  std::optional<int> min_frames = {};
  std::optional<int> max_frames = {};
  std::optional<int> max_tokens = {};        // of the whole video
  std::optional<int> max_frame_tokens = {};  // of one frame
  std::optional<int64_t> start_us = {};
  std::optional<int64_t> end_us = {};
};

}  // namespace prismvid
