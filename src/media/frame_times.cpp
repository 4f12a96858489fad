#include "media/frame_times.h"

#include <algorithm>
#include <string_view>

#include "media/decoder.h"
#include "media/demuxer.h"
#include "media/open_video.h"
#include "media/video_info.h"

namespace prismvid::media {
namespace {

constexpr AVRational kMicrosecond{1, 1'000'000};

/// Containers whose headers say all that is needed here.
bool tells_enough(const AVFormatContext& format) {
  const std::string_view name = format.iformat->name;
  return name.substr(0, 4) == "mov," || name.substr(0, 8) == "matroska";
}

/// On one thread, which has it sooner than many; null where the first packets give none.
FramePtr first_picture(Demuxer& demuxer, const AVStream& stream) {
  constexpr int kMostPackets = 32;
  Decoder decoder(stream, OpenOptions{.threads = 1});
  const PacketPtr packet = make_packet();
  for (int i = 0; i < kMostPackets && demuxer.read(*packet); ++i) {
    decoder.send(packet.get());
    if (FramePtr frame = decoder.receive()) return frame;
  }
  decoder.send(nullptr);
  return decoder.receive();
}

bool is_interlaced(const AVFrame& picture) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (picture.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return picture.interlaced_frame != 0;
#endif
}

/// The packets, where they are sure to give one frame each from `first_pts` on.
std::vector<ScannedPacket> certain_packets(Demuxer& demuxer, const AVStream& stream,
                                           int64_t first_pts) {
  if (!demuxer.seek(stream, INT64_MIN / 2)) return {};
  auto packets = scan_packets(demuxer, stream.index);
  const bool is_sound = packets && demuxer.read_errors() == 0 && !demuxer.ended_early();
  if (!is_sound || packets->empty() || !packets->front().is_key) return {};
  const bool starts_first =
      packets->front().pts == first_pts &&
      std::none_of(packets->begin(), packets->end(),
                   [&](const ScannedPacket& packet) { return packet.pts < first_pts; });
  return starts_first ? std::move(*packets) : std::vector<ScannedPacket>();
}

std::vector<int64_t> presentation_order(const std::vector<ScannedPacket>& packets) {
  std::vector<int64_t> pts;
  for (const ScannedPacket& packet : packets) pts.push_back(packet.pts);
  std::sort(pts.begin(), pts.end());
  return pts;
}

}  // namespace

std::optional<FrameTimes> scan_frame_times(const std::filesystem::path& path) {
  Demuxer demuxer(path, Demuxer::Probe::kHeader);
  if (!tells_enough(demuxer.format())) return std::nullopt;
  AVStream& stream = demuxer.best_video_stream();
  demuxer.keep_only([&](const AVStream& other) { return other.index == stream.index; });
  const FramePtr first = first_picture(demuxer, stream);
  if (!first || is_interlaced(*first) || first->best_effort_timestamp == AV_NOPTS_VALUE)
    return std::nullopt;
  FrameTimes times;
  times.info = declared_info(demuxer.format(), stream, *first, orientation_of(stream, *first));
  times.info.start_pts = first->best_effort_timestamp;
  times.packets = certain_packets(demuxer, stream, times.info.start_pts);
  times.pts = presentation_order(times.packets);
  const bool is_sound = !times.pts.empty() &&
                        std::adjacent_find(times.pts.begin(), times.pts.end()) == times.pts.end();
  if (!is_sound) return std::nullopt;
  const AVRational base{static_cast<int>(times.info.time_base.numerator),
                        static_cast<int>(times.info.time_base.denominator)};
  for (const int64_t pts : times.pts)
    times.times_us.push_back(av_rescale_q(pts - times.info.start_pts, base, kMicrosecond));
  times.info.frames = static_cast<int64_t>(times.pts.size());
  times.info.frame_rate =
      counted_frame_rate(times.info.frame_rate, times.info.frames, times.times_us.back());
  return times;
}

FrameTimes read_frame_times(const std::filesystem::path& path) {
  if (auto times = scan_frame_times(path)) return std::move(*times);
  const auto source = open_video(path);
  FrameTimes times;
  while (const auto frame = source->next()) times.times_us.push_back(frame->pts_us);
  times.info = source->info();
  return times;
}

}  // namespace prismvid::media
