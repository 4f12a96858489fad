#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace prismvid::media {

class Demuxer;

/// A packet that holds one presented frame; times in the stream's time base.
struct ScannedPacket {
  static constexpr int64_t kNoTime = INT64_MIN;  // as FFmpeg

  int64_t pts = 0;
  int64_t dts = 0;  // kNoTime where the container has none
  bool is_key = false;
};

/// The packets of one stream in the order of the file, read without decoding them, up to the first
/// that is decoded after `last_dts`. nullopt when they do not tell the frames for certain:
/// interlaced or unusual codecs, missing or jumping presentation times, an unusual packet order.
/// Other streams are discarded from then on.
std::optional<std::vector<ScannedPacket>> scan_packets(Demuxer& demuxer, int stream_index,
                                                       int64_t last_dts = INT64_MAX);

}  // namespace prismvid::media
