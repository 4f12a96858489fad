#pragma once

#include <filesystem>
#include <optional>

#include "media/decoder.h"
#include "media/demuxer.h"

namespace prismvid::media {

/// One pass over a file's best video stream: its pictures in presentation order, as FFmpeg gives
/// them.
class DecodePass {
 public:
  DecodePass(const std::filesystem::path& path, const OpenOptions& options);

  /// The next picture, nullptr at the end.
  FramePtr next();

  /// The timestamp of the first picture, in the stream's time base: ticks of
  /// OpenOptions::exact_pictures_per_second are counted from it. All pictures are exact until it is known.
  void set_first(int64_t pts) { first_ = pts; }

  /// Starts anew at the key frame with these times, which must exist. False when it is not met
  /// again.
  bool start_at_key_frame(int64_t pts, int64_t dts);

  const Demuxer& demuxer() const { return demuxer_; }
  AVStream& stream() const { return stream_; }
  const Decoder& decoder() const { return decoder_; }

 private:
  bool skip_to(int64_t pts, int64_t dts);
  bool must_be_exact(const AVPacket& packet) const;

  std::optional<Rational> exact_rate_;
  int64_t start_us_;  // of the range
  std::optional<int64_t> first_;
  Demuxer demuxer_;
  AVStream& stream_;
  Decoder decoder_;
  PacketPtr packet_ = make_packet();
  bool packet_waiting_ = false;
  bool draining_ = false;
};

}  // namespace prismvid::media
