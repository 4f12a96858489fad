#include "media/packet_scan.h"

#include "media/demuxer.h"

namespace prismvid::media {

static_assert(ScannedPacket::kNoTime == AV_NOPTS_VALUE);

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
  return packet.pts != AV_NOPTS_VALUE &&
         (packet.dts == AV_NOPTS_VALUE || packet.dts <= packet.pts) &&
         (packet.flags & AV_PKT_FLAG_CORRUPT) == 0;
}

}  // namespace

std::optional<std::vector<ScannedPacket>> scan_packets(Demuxer& demuxer, int stream_index,
                                                       int64_t last_dts) {
  const AVStream& stream = *demuxer.format().streams[stream_index];
  if (!has_packet_per_frame(*stream.codecpar)) return std::nullopt;
  demuxer.keep_only([&](const AVStream& other) { return other.index == stream_index; });
  const int64_t longest_gap = av_rescale_q(10, {1, 1}, stream.time_base);
  const PacketPtr packet = make_packet();
  std::vector<ScannedPacket> packets;
  int64_t before = INT64_MIN;
  while (demuxer.read(*packet)) {
    if (!is_certain(*packet)) return std::nullopt;
    if (packet->dts > last_dts) break;
    const bool has_dts = packet->dts != AV_NOPTS_VALUE;
    if (has_dts && before != INT64_MIN &&
        (packet->dts <= before || packet->dts - before > longest_gap))
      return std::nullopt;
    if (has_dts) before = packet->dts;
    if ((packet->flags & AV_PKT_FLAG_DISCARD) == 0)
      packets.push_back({packet->pts, packet->dts, (packet->flags & AV_PKT_FLAG_KEY) != 0});
  }
  return packets;
}

}  // namespace prismvid::media
