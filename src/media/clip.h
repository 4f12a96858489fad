#pragma once

#include <filesystem>

#include "core/media_time.h"

namespace prismvid::media {

/// Copies a part of a video with its sound into a file of its own: MP4, or Matroska where a codec
/// does not fit into one (`clip_ending()` tells). Nothing is coded anew, so the part begins at the
/// last key frame at or before `range`. Gives back the range that is in it. Throws Error(kNotVideo,
/// kUnreadable) for the video, kInvalidArgument for a range behind its end, kUnavailable where `out`
/// cannot be written.
TimeRange cut_clip(const std::filesystem::path& video, const TimeRange& range,
                   const std::filesystem::path& out);

/// ".mp4" or ".mkv".
std::string clip_ending(const std::filesystem::path& video);

}  // namespace prismvid::media
