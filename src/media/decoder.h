#pragma once

#include "media/ffmpeg.h"
#include "media/open_video.h"

namespace prismvid::media {

/// What becomes of a picture.
enum class Care {
  kExact,
  kWithoutLoopFilter,  // of B pictures: faster and slightly wrong, in those too that other B pictures need
  kIfReferenced,       // it is not wanted: decoded only where others need it
};

/// A video decoder: packets in, pictures in presentation order and in main memory out.
class Decoder {
 public:
  /// Throws Error(kNotVideo) when the codec cannot be opened, kUnavailable when the hardware asked
  /// for is not there.
  Decoder(const AVStream& stream, const OpenOptions& options);

  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Hands in one packet, nullptr at the end of the stream. Take all of receive() before the next
  /// one.
  void send(const AVPacket* packet, Care care = Care::kExact);

  /// The next finished picture, nullptr when the decoder wants another packet or has ended.
  FramePtr receive();

  /// Forgets what is in flight, after a seek.
  void flush();

  /// Packets and pictures that the decoder gave up on or marked as damaged.
  int64_t damaged() const { return damaged_; }

  /// "" for software, else for example "cuda".
  const char* hardware_name() const;

 private:
  bool try_hardware(const AVCodec& codec, AVHWDeviceType type);
  void set_up_hardware(const AVCodec& codec, HardwareDecoding wanted);
  bool fetch(FramePtr& frame) const;  // from the device to main memory
  static AVPixelFormat choose_format(AVCodecContext* context, const AVPixelFormat* formats);

  CodecContextPtr context_;
  AVPixelFormat hardware_format_ = AV_PIX_FMT_NONE;
  AVHWDeviceType hardware_type_ = AV_HWDEVICE_TYPE_NONE;
  int64_t damaged_ = 0;
};

}  // namespace prismvid::media
