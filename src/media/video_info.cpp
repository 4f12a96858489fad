#include "media/video_info.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace prismvid::media {
namespace {

// FFmpeg lists every name of a demuxer ("mov,mp4,m4a,3gp,3g2,mj2"); one is shown.
std::string container_name(const AVFormatContext& format) {
  const std::string names = format.iformat->name;
  if (names.rfind("mov,", 0) == 0) {
    const AVDictionaryEntry* brand = av_dict_get(format.metadata, "major_brand", nullptr, 0);
    return brand != nullptr && std::strncmp(brand->value, "qt", 2) == 0 ? "mov" : "mp4";
  }
  if (names.rfind("matroska", 0) == 0) {
    const std::string url = format.url ? format.url : "";
    return url.size() > 5 && url.substr(url.size() - 5) == ".webm" ? "webm" : "matroska";
  }
  return names.substr(0, names.find(','));
}

AVRational sane_sample_aspect(AVFormatContext& format, AVStream& stream, AVFrame& first) {
  const AVRational aspect = av_guess_sample_aspect_ratio(&format, &stream, &first);
  const double value = aspect.den > 0 ? av_q2d(aspect) : 0;
  return value >= 1.0 / 16 && value <= 16 ? aspect : AVRational{1, 1};
}

// Enlarges the side that is too short, so that no detail is lost.
Size square_pixels(Size size, AVRational aspect) {
  const double value = av_q2d(aspect);
  if (value >= 1) return {static_cast<int>(std::lround(size.width * value)), size.height};
  return {size.width, static_cast<int>(std::lround(size.height / value))};
}

int64_t declared_duration_us(const AVFormatContext& format, const AVStream& stream,
                             int64_t first_pts) {
  if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0)
    return av_rescale_q(stream.duration, stream.time_base, {1, 1000000});
  if (format.duration == AV_NOPTS_VALUE || format.duration <= 0) return 0;
  // Matroska counts from time 0, not from its first frame.
  const bool counts_from_zero = std::strncmp(format.iformat->name, "matroska", 8) == 0;
  const int64_t start_us = counts_from_zero && first_pts != AV_NOPTS_VALUE
                               ? av_rescale_q(first_pts, stream.time_base, {1, 1000000})
                               : 0;
  return std::max<int64_t>(0, format.duration - std::max<int64_t>(0, start_us));
}

std::vector<AudioStream> audio_streams(const AVFormatContext& format) {
  std::vector<AudioStream> result;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_AUDIO) continue;
    const AVDictionaryEntry* language = av_dict_get(stream.metadata, "language", nullptr, 0);
    result.push_back({static_cast<int>(i), avcodec_get_name(stream.codecpar->codec_id),
                      channel_count(*stream.codecpar), stream.codecpar->sample_rate,
                      language ? language->value : ""});
  }
  return result;
}

AVRational frame_rate_of(AVFormatContext& format, AVStream& stream) {
  if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0) return stream.avg_frame_rate;
  const AVRational guess = av_guess_frame_rate(&format, &stream, nullptr);
  return guess.num > 0 && guess.den > 0 ? guess : AVRational{0, 1};
}

}  // namespace

Orientation orientation_of(const AVStream& stream, const AVFrame& first) {
  if (const int32_t* matrix = stream_display_matrix(stream)) return orientation_of(matrix);
  const AVFrameSideData* data = av_frame_get_side_data(&first, AV_FRAME_DATA_DISPLAYMATRIX);
  return data != nullptr && data->size >= 9 * sizeof(int32_t)
             ? orientation_of(reinterpret_cast<const int32_t*>(data->data))
             : Orientation{};
}

Rational counted_frame_rate(Rational declared, int64_t frames, int64_t last_us) {
  if (frames < 2 || last_us <= 0) return declared;
  const double counted = static_cast<double>(frames - 1) * 1e6 / static_cast<double>(last_us);
  if (std::abs(declared.value() / counted - 1) <= 0.01) return declared;
  return rational(av_d2q(counted, 100000));
}

int64_t nominal_frame_duration(AVFormatContext& format, AVStream& stream) {
  const AVRational rate = frame_rate_of(format, stream);
  if (rate.num == 0)
    return std::max<int64_t>(1, av_rescale_q(40000, {1, 1000000}, stream.time_base));
  return std::max<int64_t>(1, av_rescale_q(1, av_inv_q(rate), stream.time_base));
}

VideoInfo declared_info(AVFormatContext& format, AVStream& stream, AVFrame& first,
                        Orientation orientation) {
  VideoInfo info;
  info.container = container_name(format);
  info.codec = avcodec_get_name(stream.codecpar->codec_id);
  info.coded_size = {first.width, first.height};
  const AVRational aspect = sane_sample_aspect(format, stream, first);
  info.sample_aspect = rational(aspect);
  info.display_size = turned(square_pixels(info.coded_size, aspect), orientation);
  info.rotation = orientation.rotation;
  info.frame_rate = rational(frame_rate_of(format, stream));
  info.time_base = rational(stream.time_base);
  info.duration_us = declared_duration_us(format, stream, first.best_effort_timestamp);
  info.frames = stream.nb_frames;
  if (info.frames <= 0)
    info.frames =
        std::llround(static_cast<double>(info.duration_us) * 1e-6 * info.frame_rate.value());
  // The base rate is the fastest one seen; a slower average means that frames are missing or of
  // unequal length.
  const double base = av_q2d(stream.r_frame_rate.den > 0 ? stream.r_frame_rate : AVRational{0, 1});
  info.variable_frame_rate = base > 0 && info.frame_rate.value() > 0 &&
                             std::abs(base / info.frame_rate.value() - 1) > 0.01;
  info.audio = audio_streams(format);
  return info;
}

}  // namespace prismvid::media
