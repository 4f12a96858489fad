#include "media/clip.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "media/demuxer.h"

namespace prismvid::media {
namespace {

constexpr AVRational kMicroseconds = {1, 1'000'000};

bool is_wanted(const AVStream& stream, const AVStream& picture) {
  return &stream == &picture || stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
}

bool fits_mp4(const Demuxer& demuxer) {
  const AVOutputFormat* mp4 = av_guess_format("mp4", nullptr, nullptr);
  const AVStream& picture = demuxer.best_video_stream();
  const AVFormatContext& format = demuxer.format();
  return mp4 && std::all_of(format.streams, format.streams + format.nb_streams, [&](const AVStream* stream) {
    return !is_wanted(*stream, picture) ||
           avformat_query_codec(mp4, stream->codecpar->codec_id, FF_COMPLIANCE_NORMAL) == 1;
  });
}

struct CloseOutput {
  void operator()(AVFormatContext* format) const {
    avio_closep(&format->pb);
    avformat_free_context(format);
  }
};

/// The written file; closed with this object.
class Output {
 public:
  Output(const Demuxer& source, const std::filesystem::path& path) : path_(path) {
    const char* name = fits_mp4(source) ? "mp4" : "matroska";
    AVFormatContext* format = nullptr;
    require(avformat_alloc_output_context2(&format, nullptr, name, path.c_str()));
    format_.reset(format);
    const AVStream& picture = source.best_video_stream();
    for (unsigned i = 0; i < source.format().nb_streams; ++i) add(*source.format().streams[i], picture);
    require(avio_open(&format_->pb, path.c_str(), AVIO_FLAG_WRITE));
    AVDictionary* options = nullptr;
    av_dict_set(&options, "movflags", "+faststart", 0);
    const int error = avformat_write_header(format_.get(), &options);
    av_dict_free(&options);
    require(error);
  }

  /// `shift_us`: what becomes time 0.
  void write(AVPacket& packet, const AVStream& from, int64_t shift_us) {
    const int target = targets_[static_cast<size_t>(packet.stream_index)];
    const AVRational to = format_->streams[target]->time_base;
    const int64_t shift = av_rescale_q(shift_us, kMicroseconds, from.time_base);
    if (packet.pts != AV_NOPTS_VALUE) packet.pts -= shift;
    if (packet.dts != AV_NOPTS_VALUE) packet.dts -= shift;
    av_packet_rescale_ts(&packet, from.time_base, to);
    packet.stream_index = target;
    packet.pos = -1;
    require(av_interleaved_write_frame(format_.get(), &packet));
  }
  void finish() { require(av_write_trailer(format_.get())); }

 private:
  void add(const AVStream& stream, const AVStream& picture) {
    targets_.push_back(-1);
    if (!is_wanted(stream, picture)) return;
    AVStream* target = avformat_new_stream(format_.get(), nullptr);
    check(target != nullptr, ErrorCode::kUnavailable, "out of memory");
    require(avcodec_parameters_copy(target->codecpar, stream.codecpar));
    target->codecpar->codec_tag = 0;
    target->time_base = stream.time_base;
    targets_.back() = target->index;
  }
  void require(int error) const {
    check(error >= 0, ErrorCode::kUnavailable, "cannot write the clip '", path_.string(), "': ", error_text(error));
  }

  std::filesystem::path path_;
  std::unique_ptr<AVFormatContext, CloseOutput> format_;
  std::vector<int> targets_;  // of each stream of the source; -1: left out
};

int64_t start_of(const AVStream& stream) { return stream.start_time == AV_NOPTS_VALUE ? 0 : stream.start_time; }

}  // namespace

std::string clip_ending(const std::filesystem::path& video) { return fits_mp4(Demuxer(video)) ? ".mp4" : ".mkv"; }

TimeRange cut_clip(const std::filesystem::path& video, const TimeRange& range, const std::filesystem::path& out) {
  Demuxer demuxer(video);
  const AVStream& picture = demuxer.best_video_stream();
  demuxer.keep_only([&](const AVStream& stream) { return is_wanted(stream, picture); });
  const int64_t origin_us = av_rescale_q(start_of(picture), picture.time_base, kMicroseconds);
  if (range.start_us > 0)
    demuxer.seek(picture, av_rescale_q(origin_us + range.start_us, kMicroseconds, picture.time_base));
  Output output(demuxer, out);
  const PacketPtr packet = make_packet();
  TimeRange written{-1, -1};
  while (demuxer.read(*packet)) {
    const AVStream& stream = *demuxer.format().streams[packet->stream_index];
    const int64_t ticks = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (ticks == AV_NOPTS_VALUE) continue;
    const int64_t at_us = av_rescale_q(ticks, stream.time_base, kMicroseconds) - origin_us;
    if (at_us >= range.end_us) {
      if (&stream == &picture && (packet->flags & AV_PKT_FLAG_KEY) != 0) break;
      if (&stream != &picture) continue;
      // Pictures that are shown before the end may follow one that is shown after it.
      if (at_us > range.end_us + 1'000'000) break;
      continue;
    }
    if (written.start_us < 0) {
      if (&stream != &picture || (packet->flags & AV_PKT_FLAG_KEY) == 0) continue;
      written.start_us = std::max<int64_t>(0, at_us);
    }
    if (&stream == &picture) written.end_us = std::max(written.end_us, at_us);
    output.write(*packet, stream, origin_us + written.start_us);
  }
  check(written.start_us >= 0 && written.end_us >= range.start_us, ErrorCode::kInvalidArgument,
        "the range begins behind the end of the video");
  output.finish();
  return written;
}

}  // namespace prismvid::media
