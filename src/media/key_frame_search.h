#pragma once

#include <filesystem>
#include <optional>

#include "media/demuxer.h"

namespace prismvid::media {

/// A key frame from which decoding can start, with its place in presentation order.
struct KeyFrame {
  int64_t pts = 0;
  int64_t dts = 0;
  int64_t index = 0;  // frames presented before it, counted from `first_pts`
};

/// The last key frame presented at or before `target_pts`, found by reading packets without
/// decoding them. nullopt when the count would not be certain: interlaced or unusual codecs,
/// missing or jumping timestamps, an unusual packet order.
std::optional<KeyFrame> find_key_frame(const std::filesystem::path& path, int stream_index,
                                       int64_t first_pts, int64_t target_pts);

}  // namespace prismvid::media
