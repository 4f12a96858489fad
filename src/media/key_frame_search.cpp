#include "media/key_frame_search.h"

#include <algorithm>

#include "media/packet_scan.h"

namespace prismvid::media {

std::optional<KeyFrame> find_key_frame(const std::filesystem::path& path, int stream_index,
                                       int64_t first_pts, int64_t target_pts) {
  Demuxer demuxer(path);
  const auto packets = scan_packets(demuxer, stream_index, target_pts);
  if (!packets) return std::nullopt;
  std::optional<KeyFrame> found;
  int64_t presented = 0, latest_pts = INT64_MIN;
  for (const ScannedPacket& packet : *packets) {
    if (packet.dts == ScannedPacket::kNoTime) return std::nullopt;
    if (packet.pts < first_pts) continue;
    const bool starts_anew = packet.is_key && packet.pts > latest_pts && packet.pts <= target_pts;
    if (starts_anew) found = KeyFrame{packet.pts, packet.dts, presented};
    // Leading pictures follow their key frame in the file and precede it on the screen.
    if (found && packet.pts < found->pts) ++found->index;
    ++presented;
    latest_pts = std::max(latest_pts, packet.pts);
  }
  return found;
}

}  // namespace prismvid::media
