#pragma once

#include "media/ffmpeg.h"

namespace prismvid::media {

/// Tells packets of pictures that no other picture needs, without a decoder.
class DisposablePackets {
 public:
  explicit DisposablePackets(const AVCodecParameters& stream);

  /// False also where that is not known: only H.264 and HEVC in MP4's form are looked into.
  bool contains(const AVPacket& packet) const;

 private:
  AVCodecID codec_;
  int length_bytes_ = 0;  // ahead of each unit of a packet; 0: not in that form
};

}  // namespace prismvid::media
