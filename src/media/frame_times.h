#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/media_time.h"
#include "media/frame_source.h"
#include "media/packet_scan.h"

namespace prismvid::media {

/// When every frame of a video is shown.
struct FrameTimes {
  VideoInfo info;                 // frames and frame_rate as counted
  std::vector<int64_t> times_us;  // of each frame, in presentation order, from the first
  /// Of each frame, and the packets in the order of the file; both empty where only decoding all
  /// frames could tell.
  std::vector<int64_t> pts;
  std::vector<ScannedPacket> packets;
  bool begins_inside = false;  // only a stretch of the file, from one of its key frames on
};

/// By the packets of a video, decoding its first frame only; nullopt where they are not certain.
/// Throws what open_video() throws.
std::optional<FrameTimes> scan_frame_times(const std::filesystem::path& path);

/// The same for the frames of `range`, and those around them from the key frame before it on:
/// little of the file is read. `info` is what the file declares; the last frame's duration is not
/// known.
std::optional<FrameTimes> scan_stretch(const std::filesystem::path& path, const TimeRange& range);

/// The same as scan_frame_times(), or by decoding all frames.
FrameTimes read_frame_times(const std::filesystem::path& path);

}  // namespace prismvid::media
