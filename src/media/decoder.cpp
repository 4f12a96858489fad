#include "media/decoder.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "core/cpu.h"
#include "core/error.h"

namespace prismvid::media {
namespace {

// Above this a picture per thread costs too much memory; slices of one picture are decoded side by
// side instead.
constexpr int64_t kLargePicture = int64_t{1} << 25;

std::vector<AVHWDeviceType> device_types(HardwareDecoding wanted) {
  switch (wanted) {
    case HardwareDecoding::kNone:
      return {};
    case HardwareDecoding::kVideoToolbox:
      return {AV_HWDEVICE_TYPE_VIDEOTOOLBOX};
    case HardwareDecoding::kCuda:
      return {AV_HWDEVICE_TYPE_CUDA};
    case HardwareDecoding::kVaapi:
      return {AV_HWDEVICE_TYPE_VAAPI};
    case HardwareDecoding::kAuto:
      break;
  }
  return {AV_HWDEVICE_TYPE_VIDEOTOOLBOX, AV_HWDEVICE_TYPE_CUDA, AV_HWDEVICE_TYPE_VAAPI};
}

}  // namespace

Decoder::Decoder(const AVStream& stream, const OpenOptions& options) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  check(codec != nullptr, ErrorCode::kNotVideo, "no decoder for ",
        avcodec_get_name(stream.codecpar->codec_id));
  context_.reset(avcodec_alloc_context3(codec));
  if (!context_) throw std::bad_alloc();
  int error = avcodec_parameters_to_context(context_.get(), stream.codecpar);
  check(error >= 0, ErrorCode::kNotVideo, "cannot set up the ", codec->name,
        " decoder: ", error_text(error));
  context_->pkt_timebase = stream.time_base;
  context_->opaque = this;
  context_->thread_count = options.threads > 0 ? options.threads : available_threads();
  const bool large = int64_t{stream.codecpar->width} * stream.codecpar->height > kLargePicture;
  context_->thread_type = large ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE;
  set_up_hardware(*codec, options.hardware);
  error = avcodec_open2(context_.get(), codec, nullptr);
  check(error >= 0, ErrorCode::kNotVideo, "cannot open the ", codec->name,
        " decoder: ", error_text(error));
}

void Decoder::set_up_hardware(const AVCodec& codec, HardwareDecoding wanted) {
  for (const AVHWDeviceType type : device_types(wanted))
    if (try_hardware(codec, type)) return;
  check(wanted == HardwareDecoding::kNone || wanted == HardwareDecoding::kAuto,
        ErrorCode::kUnavailable, "the hardware asked for cannot decode ", codec.name,
        " on this machine (", last_ffmpeg_error(), "); software decoding works");
}

bool Decoder::try_hardware(const AVCodec& codec, AVHWDeviceType type) {
  for (int i = 0;; ++i) {
    const AVCodecHWConfig* config = avcodec_get_hw_config(&codec, i);
    if (config == nullptr) return false;
    if (config->device_type != type || !(config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX))
      continue;
    AVBufferRef* device = nullptr;
    if (av_hwdevice_ctx_create(&device, type, nullptr, nullptr, 0) < 0) return false;
    context_->hw_device_ctx = device;
    context_->get_format = choose_format;
    hardware_format_ = config->pix_fmt;
    hardware_type_ = type;
    return true;
  }
}

AVPixelFormat Decoder::choose_format(AVCodecContext* context, const AVPixelFormat* formats) {
  const auto* self = static_cast<const Decoder*>(context->opaque);
  for (const AVPixelFormat* format = formats; *format != AV_PIX_FMT_NONE; ++format)
    if (*format == self->hardware_format_) return *format;
  return avcodec_default_get_format(context,
                                    formats);  // the device lacks this profile: decode in software
}

void Decoder::send(const AVPacket* packet, Care care) {
  context_->skip_loop_filter =
      care == Care::kWithoutLoopFilter ? AVDISCARD_BIDIR : AVDISCARD_DEFAULT;
  context_->skip_frame = care == Care::kIfReferenced ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  const int error = avcodec_send_packet(context_.get(), packet);
  if (error < 0 && error != AVERROR_EOF) ++damaged_;
}

FramePtr Decoder::receive() {
  FramePtr frame = make_av_frame();
  while (true) {
    const int error = avcodec_receive_frame(context_.get(), frame.get());
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return nullptr;
    if (error == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (error >= 0 && fetch(frame)) break;
    ++damaged_;
  }
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT)) ++damaged_;
  return frame;
}

bool Decoder::fetch(FramePtr& frame) const {
  if (hardware_format_ == AV_PIX_FMT_NONE || frame->format != hardware_format_) return true;
  FramePtr local = make_av_frame();
  if (av_hwframe_transfer_data(local.get(), frame.get(), 0) < 0) return false;
  if (av_frame_copy_props(local.get(), frame.get()) < 0) return false;
  frame = std::move(local);
  return true;
}

void Decoder::flush() {
  avcodec_flush_buffers(context_.get());
}

const char* Decoder::hardware_name() const {
  return hardware_type_ == AV_HWDEVICE_TYPE_NONE ? "" : av_hwdevice_get_type_name(hardware_type_);
}

}  // namespace prismvid::media
