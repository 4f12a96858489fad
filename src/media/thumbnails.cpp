#include "media/thumbnails.h"

#include <optional>

#include "core/error.h"
#include "media/decoded_frame.h"
#include "media/decoder.h"
#include "media/demuxer.h"

namespace prismvid::media {
namespace {

constexpr int kThreads = 2;

class ThumbnailReader {
 public:
  ThumbnailReader(const std::filesystem::path& video, const ThumbnailOptions& options)
      : options_(options),
        demuxer_(video),
        stream_(demuxer_.best_video_stream()),
        decoder_(stream_, decoding()) {
    demuxer_.keep_only([&](const AVStream& other) { return other.index == stream_.index; });
    if (stream_.start_time != AV_NOPTS_VALUE) first_ = stream_.start_time;
    tolerance_ = ticks(options.tolerance_us);
  }

  /// Null where nothing decodes.
  FramePtr read(int64_t time_us) {
    const int64_t target = first_ + ticks(time_us);
    if (reached_ && *reached_ >= target - tolerance_ && shown_) return copy_of(*shown_);
    if (!reached_ || has_key_frame_between(*reached_, target)) {
      if (!demuxer_.seek(stream_, target)) return nullptr;
      decoder_.flush();
      reached_.reset();
    }
    return decode_to(target);
  }

  Image picture(FramePtr frame) const {
    return DecodedFrame(std::move(frame), options_.size,
                        orientation_of(stream_display_matrix(stream_)))
        .rgb(options_.size);
  }

 private:
  static OpenOptions decoding() {
    OpenOptions options;
    options.threads = kThreads;
    return options;
  }

  int64_t ticks(int64_t us) const { return av_rescale_q(us, {1, 1'000'000}, stream_.time_base); }

  /// Whether going on from here would decode more than seeking does; true where no index tells.
  bool has_key_frame_between(int64_t reached, int64_t target) const {
    const AVIndexEntry* entry =
        avformat_index_get_entry_from_timestamp(&stream_, target, AVSEEK_FLAG_BACKWARD);
    return entry == nullptr || entry->timestamp > reached;
  }

  FramePtr decode_to(int64_t target) {
    const PacketPtr packet = make_packet();
    FramePtr last;
    if (reached_ && take_until(target, last)) return last;
    while (demuxer_.read(*packet)) {
      check(!options_.stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
      const bool is_wanted = (packet->flags & AV_PKT_FLAG_KEY) && packet->pts != AV_NOPTS_VALUE &&
                             packet->pts >= target - tolerance_;
      decoder_.send(packet.get());
      if (is_wanted && !reached_) break;  // no need to wait for those behind it
      if (take_until(target, last)) return last;
    }
    decoder_.send(nullptr);
    take_until(target, last);
    decoder_.flush();
    reached_.reset();
    return last;
  }

  /// `last` becomes the newest picture; true when it is one for `target`.
  bool take_until(int64_t target, FramePtr& last) {
    while (FramePtr frame = decoder_.receive()) {
      const int64_t pts = frame->best_effort_timestamp;
      last = std::move(frame);
      if (pts == AV_NOPTS_VALUE) continue;
      reached_ = pts;
      if (pts < target - tolerance_) continue;
      shown_ = copy_of(*last);
      return true;
    }
    return false;
  }

  /// Shares its pixels.
  static FramePtr copy_of(const AVFrame& frame) {
    FramePtr copy = make_av_frame();
    check(av_frame_ref(copy.get(), &frame) >= 0, ErrorCode::kInternal, "out of memory");
    return copy;
  }

  const ThumbnailOptions& options_;
  Demuxer demuxer_;
  AVStream& stream_;
  Decoder decoder_;
  int64_t first_ = 0;
  int64_t tolerance_ = 0;
  std::optional<int64_t> reached_;  // where decoding can go on
  FramePtr shown_;                  // the picture at `reached_`
};

}  // namespace

std::vector<Image> read_thumbnails(const std::filesystem::path& video,
                                   std::span<const int64_t> times_us,
                                   const ThumbnailOptions& options) {
  ThumbnailReader reader(video, options);
  std::vector<Image> pictures;
  size_t missing = 0;  // before the first that decoded
  for (const int64_t time_us : times_us) {
    check(!options.stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    if (FramePtr frame = reader.read(time_us))
      pictures.push_back(reader.picture(std::move(frame)));
    else if (!pictures.empty())
      pictures.push_back(pictures.back());
    else
      ++missing;
  }
  check(!pictures.empty(), ErrorCode::kNotVideo, "no picture of '", video.string(), "' decodes there");
  pictures.insert(pictures.begin(), missing, pictures.front());
  return pictures;
}

}  // namespace prismvid::media
