#pragma once

#include <filesystem>

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

  /// Starts anew at the key frame with these times, which must exist. False when it is not met
  /// again.
  bool start_at_key_frame(int64_t pts, int64_t dts);

  const Demuxer& demuxer() const { return demuxer_; }
  AVStream& stream() const { return stream_; }
  const Decoder& decoder() const { return decoder_; }

 private:
  bool skip_to(int64_t pts, int64_t dts);

  Demuxer demuxer_;
  AVStream& stream_;
  Decoder decoder_;
  PacketPtr packet_ = make_packet();
  bool packet_waiting_ = false;
  bool draining_ = false;
};

}  // namespace prismvid::media
