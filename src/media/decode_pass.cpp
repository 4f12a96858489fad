#include "media/decode_pass.h"

namespace prismvid::media {

DecodePass::DecodePass(const std::filesystem::path& path, const OpenOptions& options)
    : demuxer_(path), stream_(demuxer_.best_video_stream()), decoder_(stream_, options) {
  demuxer_.keep_only([&](const AVStream& stream) { return stream.index == stream_.index; });
}

FramePtr DecodePass::next() {
  while (true) {
    if (FramePtr frame = decoder_.receive()) return frame;
    if (draining_) return nullptr;
    if (packet_waiting_ || demuxer_.read(*packet_)) {
      decoder_.send(packet_.get());
      packet_waiting_ = false;
    } else {
      decoder_.send(nullptr);
      draining_ = true;
    }
  }
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
