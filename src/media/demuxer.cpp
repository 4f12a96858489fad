#include "media/demuxer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <tuple>

#include "core/error.h"

namespace prismvid::media {
namespace {

namespace fs = std::filesystem;

// Containers of moving pictures. Left out on purpose: playlists (they name other files and hosts),
// pictures, text, devices.
constexpr char kContainers[] =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,"
    "live_flv,asf,ogg,mxf,nut,"
    "wtv,dv,gxf,rm,vob,yuv4mpegpipe,mjpeg,swf,gif,"
    "mp3,wav,flac,aac,aiff,amr,ac3,eac3,w64";  // sound alone: opened to say so
constexpr int kMostReadErrorsInARow = 100;

void check_readable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(status.type() != fs::file_type::not_found, ErrorCode::kNotFound, "no such file: '",
        path.string(), "'");
  check(!error, ErrorCode::kUnreadable, "cannot read '", path.string(), "': ", error.message());
  check(status.type() != fs::file_type::directory, ErrorCode::kUnreadable, "'", path.string(),
        "' is a directory, not a video file");
  check(status.type() == fs::file_type::regular, ErrorCode::kUnreadable, "'", path.string(),
        "' is not a regular file");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(descriptor >= 0, ErrorCode::kUnreadable, "cannot read '", path.string(),
        "': ", std::strerror(errno));
  ::close(descriptor);
  check(fs::file_size(path, error) > 0, ErrorCode::kNotVideo, "'", path.string(),
        "' is empty (0 bytes)");
}

// FFmpeg tries the MP4 reader on anything named so; a real one starts with one of these boxes.
bool looks_like_mp4(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  char head[8] = {};
  file.read(head, sizeof head);
  const std::string_view box(head + 4, 4);
  return box == "ftyp" || box == "mdat" || box == "moov" || box == "moof" || box == "free" ||
         box == "wide";
}

/// Only FFmpeg's log tells whether a file ended in the middle of something (Matroska, MP4).
bool tells_early_end(const std::string& text) {
  return text.find("File ended prematurely") != std::string::npos ||
         text.find("partial file") != std::string::npos;
}

/// Matroska's reader calls a header cut short an I/O error.
bool can_be_read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() != std::ifstream::traits_type::eof();
}

[[noreturn]] void fail_to_open(const fs::path& path, int error) {
  const bool cut_short = error == AVERROR(EIO) && can_be_read(path);
  check(error != AVERROR(EACCES) && (error != AVERROR(EIO) || cut_short), ErrorCode::kUnreadable,
        "cannot read '", path.string(), "': ", error_text(error));
  std::string reason = last_ffmpeg_error();
  if (cut_short) {
    reason = "it ends within its header, the recording or copy was cut short";
  } else if (reason.find("moov atom not found") != std::string::npos && looks_like_mp4(path)) {
    reason = "its index (moov atom) is missing, the recording or copy was cut short";
  } else if (error == AVERROR_INVALIDDATA || error == AVERROR(EINVAL)) {
    reason = "it is no known video container";
  } else {
    reason = error_text(error);
  }
  fail(ErrorCode::kNotVideo, "'", path.string(), "' cannot be read as a video: ", reason);
}

bool is_moving_picture(const AVStream& stream) {
  constexpr int kStill =
      AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS | AV_DISPOSITION_STILL_IMAGE;
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream.disposition & kStill) == 0;
}

std::string describe_streams(const AVFormatContext& format) {
  std::string text;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    const char* type = av_get_media_type_string(stream.codecpar->codec_type);
    text += (text.empty() ? "" : ", ") + std::string(type ? type : "data") + " (" +
            avcodec_get_name(stream.codecpar->codec_id) + ")";
    if (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) text += " as cover picture";
  }
  return text.empty() ? "nothing" : "only " + text;
}

}  // namespace

Demuxer::Demuxer(const fs::path& path, Probe probe) : path_(path) {
  check_readable(path);
  redirect_ffmpeg_log();
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", kContainers, 0);
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  AVFormatContext* format = nullptr;
  const int error =
      avformat_open_input(&format, ("file:" + path.string()).c_str(), nullptr, &options);
  av_dict_free(&options);
  if (error < 0) fail_to_open(path, error);
  format_.reset(format);
  if (probe == Probe::kStreams)  // what it could not find out shows when decoding
    avformat_find_stream_info(format_.get(), nullptr);
}

AVStream& Demuxer::best_video_stream() const {
  AVStream* best = nullptr;
  auto rank = [](const AVStream& stream) {
    const AVCodecParameters& p = *stream.codecpar;
    return std::tuple((stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
                      int64_t{p.width} * p.height, p.bit_rate);
  };
  AVCodecID undecodable = AV_CODEC_ID_NONE;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream& stream = *format_->streams[i];
    if (!is_moving_picture(stream)) continue;
    if (avcodec_find_decoder(stream.codecpar->codec_id) == nullptr) {
      undecodable = stream.codecpar->codec_id;
    } else if (best == nullptr || rank(stream) > rank(*best)) {
      best = &stream;
    }
  }
  if (best != nullptr) return *best;
  check(undecodable == AV_CODEC_ID_NONE, ErrorCode::kNotVideo, "'", path_.string(),
        "' is coded as ", avcodec_get_name(undecodable),
        ", which the installed FFmpeg cannot decode");
  fail(ErrorCode::kNotVideo, "'", path_.string(), "' has no video stream, it holds ",
       describe_streams(*format_));
}

void Demuxer::keep_only(const std::function<bool(const AVStream&)>& wanted) {
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream& stream = *format_->streams[i];
    stream.discard = wanted(stream) ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

bool Demuxer::read(AVPacket& packet) {
  has_read_ = true;
  for (int attempts = 0; attempts < kMostReadErrorsInARow; ++attempts) {
    av_packet_unref(&packet);
    const int error = av_read_frame(format_.get(), &packet);
    if (error < 0) ended_early_ = ended_early_ || tells_early_end(last_ffmpeg_error());
    if (error == AVERROR_EOF) return false;
    if (error < 0) {
      ++read_errors_;
      if (format_->pb != nullptr && format_->pb->eof_reached) return false;
      continue;
    }
    if (packet.flags & AV_PKT_FLAG_CORRUPT) ++read_errors_;
    if (format_->streams[packet.stream_index]->discard != AVDISCARD_ALL) return true;
    attempts = -1;
  }
  return false;
}

bool Demuxer::seek(const AVStream& stream, int64_t ticks) {
  return av_seek_frame(format_.get(), stream.index, ticks, AVSEEK_FLAG_BACKWARD) >= 0;
}

}  // namespace prismvid::media
