#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

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
};

/// By the packets of a video, decoding its first frame only; nullopt where they are not certain.
/// Throws what open_video() throws.
std::optional<FrameTimes> scan_frame_times(const std::filesystem::path& path);

/// The same, or by decoding all frames.
FrameTimes read_frame_times(const std::filesystem::path& path);

/// The frames with these indices (ascending, distinct), each once, decoding few others: what no
/// chosen frame needs is skipped where the packets are known, several stretches are decoded side by
/// side, ahead of what is asked for. A frame that is damaged is replaced by the one before it.
/// Throws what open_video() throws, Error(kNotVideo) for a file that has become shorter.
std::unique_ptr<FrameSource> open_chosen_frames(const std::filesystem::path& path,
                                                std::shared_ptr<const FrameTimes> times,
                                                const std::vector<int64_t>& indices);

}  // namespace prismvid::media
