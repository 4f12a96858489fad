#pragma once

#include <filesystem>
#include <functional>

#include "media/ffmpeg.h"

namespace prismvid::media {

/// An opened file of one of the known video containers; reads packets of the streams chosen with
/// keep_only(). Opens nothing but that file: playlists, network addresses and pictures are refused.
class Demuxer {
 public:
  /// Whether streams are looked into for what the container does not say, which decodes pictures.
  enum class Probe { kStreams, kHeader };

  /// Throws Error(kNotFound, kUnreadable, kNotVideo).
  explicit Demuxer(const std::filesystem::path& path, Probe probe = Probe::kStreams);

  AVFormatContext& format() const { return *format_; }
  const std::filesystem::path& path() const { return path_; }

  /// The best video stream that is not an attached picture. Throws Error(kNotVideo) and says what
  /// the file holds instead.
  AVStream& best_video_stream() const;

  /// All other streams are skipped, where the container allows without reading them.
  void keep_only(const std::function<bool(const AVStream&)>& wanted);

  /// False at the end of the file or after too many read errors in a row.
  bool read(AVPacket& packet);

  /// To the last key frame at or before `ticks` of the stream. False when the container cannot.
  bool seek(const AVStream& stream, int64_t ticks);

  /// Whether it is not at the start of the file any more.
  bool has_read() const { return has_read_; }
  int64_t read_errors() const { return read_errors_; }

  /// Whether the file ended where its container says that more should follow.
  bool ended_early() const { return ended_early_; }

 private:
  std::filesystem::path path_;
  FormatContextPtr format_;
  bool has_read_ = false;
  int64_t read_errors_ = 0;
  bool ended_early_ = false;
};

}  // namespace prismvid::media
