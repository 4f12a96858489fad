#include "media/key_frame_search.h"

#include <algorithm>

namespace prismvid::media {
namespace {

// One packet is one presented frame in these, as long as they are progressive.
bool has_packet_per_frame(const AVCodecParameters& parameters) {
  switch (parameters.codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_FFV1:
      break;
    default:
      return false;
  }
  return parameters.field_order == AV_FIELD_PROGRESSIVE ||
         parameters.field_order == AV_FIELD_UNKNOWN;
}

bool is_certain(const AVPacket& packet) {
  return packet.pts != AV_NOPTS_VALUE && packet.dts != AV_NOPTS_VALUE && packet.dts <= packet.pts &&
         (packet.flags & AV_PKT_FLAG_CORRUPT) == 0;
}

}  // namespace

std::optional<KeyFrame> find_key_frame(const std::filesystem::path& path, int stream_index,
                                       int64_t first_pts, int64_t target_pts) {
  Demuxer demuxer(path);
  const AVStream& stream = *demuxer.format().streams[stream_index];
  if (!has_packet_per_frame(*stream.codecpar)) return std::nullopt;
  demuxer.keep_only([&](const AVStream& other) { return other.index == stream_index; });
  const int64_t longest_gap = av_rescale_q(10, {1, 1}, stream.time_base);
  const PacketPtr packet = make_packet();
  std::optional<KeyFrame> found;
  int64_t presented = 0, latest_pts = INT64_MIN, last_dts = INT64_MIN;
  while (demuxer.read(*packet)) {
    if (!is_certain(*packet)) return std::nullopt;
    if (packet->dts > target_pts) break;
    if (last_dts != INT64_MIN && (packet->dts <= last_dts || packet->dts - last_dts > longest_gap))
      return std::nullopt;
    last_dts = packet->dts;
    if ((packet->flags & AV_PKT_FLAG_DISCARD) || packet->pts < first_pts) continue;
    const bool starts_anew =
        (packet->flags & AV_PKT_FLAG_KEY) && packet->pts > latest_pts && packet->pts <= target_pts;
    if (starts_anew) found = KeyFrame{packet->pts, packet->dts, presented};
    // Leading pictures follow their key frame in the file and precede it on the screen.
    if (found && packet->pts < found->pts) ++found->index;
    ++presented;
    latest_pts = std::max(latest_pts, packet->pts);
  }
  return found;
}

}  // namespace prismvid::media
