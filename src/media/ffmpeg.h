#pragma once

// The one place that includes FFmpeg and knows its versions. Nothing in here is seen outside
// src/media.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/display.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "core/media_time.h"

namespace prismvid::media {

struct FreeFormatContext {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
};
struct FreeCodecContext {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
};
struct FreePacket {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
};
struct FreeFrame {
  void operator()(AVFrame* p) const { av_frame_free(&p); }
};
struct FreeBuffer {
  void operator()(AVBufferRef* p) const { av_buffer_unref(&p); }
};
struct FreeSws {
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};

using FormatContextPtr = std::unique_ptr<AVFormatContext, FreeFormatContext>;
using CodecContextPtr = std::unique_ptr<AVCodecContext, FreeCodecContext>;
using PacketPtr = std::unique_ptr<AVPacket, FreePacket>;
using FramePtr = std::unique_ptr<AVFrame, FreeFrame>;
using BufferPtr = std::unique_ptr<AVBufferRef, FreeBuffer>;
using SwsPtr = std::unique_ptr<SwsContext, FreeSws>;

/// av_packet_alloc, av_frame_alloc; throw std::bad_alloc.
PacketPtr make_packet();
FramePtr make_av_frame();

/// What FFmpeg calls this error.
std::string error_text(int error);

/// Sends FFmpeg's own messages to the log at debug level instead of standard error. Called before
/// anything is opened.
void redirect_ffmpeg_log();

/// The last error that FFmpeg logged on this thread since redirect_ffmpeg_log(), empty if none.
std::string last_ffmpeg_error();

inline Rational rational(AVRational r) {
  return {r.num, r.den == 0 ? 1 : r.den};
}

/// Duration the decoder gives a frame, in the stream's time base; 0 when not known.
inline int64_t frame_duration(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 0)
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

/// The 3x3 display matrix of a stream, nullptr when it has none.
inline const int32_t* stream_display_matrix(const AVStream& stream) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVPacketSideData* data =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX);
  return data && data->size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t*>(data->data)
                                                   : nullptr;
#else
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data && size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t*>(data) : nullptr;
#endif
}

inline int channel_count(const AVCodecParameters& parameters) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 24, 100)
  return parameters.ch_layout.nb_channels;
#else
  return parameters.channels;
#endif
}

}  // namespace prismvid::media
