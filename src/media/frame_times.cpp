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

/// The start of a file whose packets may tell its frames' times.
struct Opening {
  VideoInfo info;  // as declared
  AVStream& stream;
};

std::optional<Opening> open_for_scan(Demuxer& demuxer) {
  if (!tells_enough(demuxer.format())) return std::nullopt;
  AVStream& stream = demuxer.best_video_stream();
  demuxer.keep_only([&](const AVStream& other) { return other.index == stream.index; });
  const FramePtr first = first_picture(demuxer, stream);
  if (!first || is_interlaced(*first) || first->best_effort_timestamp == AV_NOPTS_VALUE)
    return std::nullopt;
  Opening opening{declared_info(demuxer.format(), stream, *first, orientation_of(stream, *first)),
                  stream};
  opening.info.start_pts = first->best_effort_timestamp;
  return opening;
}

/// At a key frame that is shown at or before `pts`, its packet read; false where there is none.
bool seek_before(Demuxer& demuxer, const AVStream& stream, int64_t pts, AVPacket& packet) {
  constexpr int kMostTries =
      8;  // containers seek by decoding times, of which several may be shown later
  int64_t place = pts;
  for (int i = 0; i < kMostTries; ++i) {
    if (!demuxer.seek(stream, place) || !demuxer.read(packet)) return false;
    const bool is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    if (is_key && packet.pts != AV_NOPTS_VALUE && packet.pts <= pts) return true;
    if (packet.dts == AV_NOPTS_VALUE) return false;
    place = std::min(place, packet.dts) - 1;
  }
  return false;
}

/// Whether the container's index tells of times that go on as the file does: they do not jump back.
bool goes_on_in_time(AVStream& stream) {
  int64_t position = -1;
  for (int i = 0; i < avformat_index_get_entries_count(&stream); ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(&stream, i);
    if (entry->pos <= position) return false;
    position = entry->pos;
  }
  return position >= 0;
}

std::vector<int64_t> presentation_order(const std::vector<ScannedPacket>& packets) {
  std::vector<int64_t> pts;
  for (const ScannedPacket& packet : packets) pts.push_back(packet.pts);
  std::sort(pts.begin(), pts.end());
  return pts;
}

/// Fills pts and times_us from the packets; false where they are not sure to be frames.
bool order_frames(FrameTimes& times) {
  times.pts = presentation_order(times.packets);
  if (times.pts.empty() ||
      std::adjacent_find(times.pts.begin(), times.pts.end()) != times.pts.end())
    return false;
  const AVRational base{static_cast<int>(times.info.time_base.numerator),
                        static_cast<int>(times.info.time_base.denominator)};
  for (const int64_t pts : times.pts)
    times.times_us.push_back(av_rescale_q(pts - times.info.start_pts, base, kMicrosecond));
  return true;
}

}  // namespace

std::optional<FrameTimes> scan_frame_times(const std::filesystem::path& path) {
  Demuxer demuxer(path, Demuxer::Probe::kHeader);
  auto opening = open_for_scan(demuxer);
  if (!opening) return std::nullopt;
  FrameTimes times;
  times.info = std::move(opening->info);
  times.packets = certain_packets(demuxer, opening->stream, times.info.start_pts);
  if (!order_frames(times)) return std::nullopt;
  times.info.frames = static_cast<int64_t>(times.pts.size());
  times.info.frame_rate =
      counted_frame_rate(times.info.frame_rate, times.info.frames, times.times_us.back());
  return times;
}

std::optional<FrameTimes> scan_stretch(const std::filesystem::path& path, const TimeRange& range) {
  Demuxer demuxer(path, Demuxer::Probe::kHeader);
  auto opening = open_for_scan(demuxer);
  if (!opening) return std::nullopt;
  FrameTimes times;
  times.info = std::move(opening->info);
  times.begins_inside = true;
  const auto pts_at = [&](int64_t t_us) {
    return times.info.start_pts + av_rescale_q(t_us, kMicrosecond, opening->stream.time_base);
  };
  const PacketPtr key = make_packet();
  if (!seek_before(demuxer, opening->stream, pts_at(range.start_us), *key) ||
      !goes_on_in_time(opening->stream))
    return std::nullopt;
  const ScannedPacket first{key->pts, key->dts, true};
  auto packets = scan_packets(demuxer, opening->stream.index, pts_at(range.end_us));
  if (!packets || demuxer.read_errors() > 0 || demuxer.ended_early()) return std::nullopt;
  times.packets = std::move(*packets);
  times.packets.insert(times.packets.begin(), first);
  return order_frames(times) ? std::optional(std::move(times)) : std::nullopt;
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
