#include "media/decode_pass.h"

namespace prismvid::media {

DecodePass::DecodePass(const std::filesystem::path& path, const OpenOptions& options)
    : exact_rate_(options.exact_pictures_per_second),
      start_us_(options.range ? options.range->start_us : 0),
      demuxer_(path),
      stream_(demuxer_.best_video_stream()),
      decoder_(stream_, options) {
  demuxer_.keep_only([&](const AVStream& stream) { return stream.index == stream_.index; });
}

FramePtr DecodePass::next() {
  while (true) {
    if (FramePtr frame = decoder_.receive()) return frame;
    if (draining_) return nullptr;
    if (packet_waiting_ || demuxer_.read(*packet_)) {
      decoder_.send(packet_.get(),
                    must_be_exact(*packet_) ? Care::kExact : Care::kWithoutLoopFilter);
      packet_waiting_ = false;
    } else {
      decoder_.send(nullptr);
      draining_ = true;
    }
  }
}

/// Whether a tick lies within the last one and a half frames.
bool DecodePass::must_be_exact(const AVPacket& packet) const {
  if (!exact_rate_ || !first_ || packet.pts == AV_NOPTS_VALUE) return true;
  constexpr AVRational kMicroseconds{1, 1'000'000};
  constexpr int64_t kUsualUs = 40'000;
  const int64_t since_us = av_rescale_q(packet.pts - *first_, stream_.time_base, kMicroseconds) - start_us_;
  const int64_t frame_us = packet.duration > 0 ? av_rescale_q(packet.duration, stream_.time_base, kMicroseconds) : kUsualUs;
  const auto tick = [&](int64_t t_us) {
    return av_rescale_rnd(t_us, exact_rate_->numerator, exact_rate_->denominator * 1'000'000, AV_ROUND_DOWN);
  };
  return tick(since_us) != tick(since_us - frame_us * 3 / 2);
}

bool DecodePass::start_at_key_frame(int64_t pts, int64_t dts) {
  decoder_.flush();
  draining_ = false;
  if (demuxer_.seek(stream_, dts) && skip_to(pts, dts)) return true;
  return demuxer_.seek(stream_, INT64_MIN / 2) &&
         skip_to(pts, dts);  // the index misled: read up to it
}

bool DecodePass::skip_to(int64_t pts, int64_t dts) {
  while (demuxer_.read(*packet_)) {
    packet_waiting_ =
        packet_->pts == pts && packet_->dts == dts && (packet_->flags & AV_PKT_FLAG_KEY);
    if (packet_waiting_) return true;
    if (packet_->dts != AV_NOPTS_VALUE && packet_->dts > dts) return false;
  }
  return false;
}

}  // namespace prismvid::media
