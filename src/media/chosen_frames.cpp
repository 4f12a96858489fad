#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/cpu.h"
#include "core/error.h"
#include "media/decoded_frame.h"
#include "media/decoder.h"
#include "media/demuxer.h"
#include "media/frame_times.h"
#include "media/open_video.h"
#include "media/prefetching_source.h"
#include "media/video_info.h"

namespace prismvid::media {
namespace {

using SharedTimes = std::shared_ptr<const FrameTimes>;

/// Packets [first, last] of the file, from a key frame on, and the chosen frames among them.
struct Run {
  size_t first = 0;
  size_t last = 0;
  std::vector<int64_t> indices;  // of the frames
};

/// One run for each key frame and what follows it up to the next, as far as it is needed.
std::vector<Run> cut_runs(const FrameTimes& times, const std::vector<int64_t>& indices) {
  std::unordered_map<int64_t, int64_t> chosen;  // index by pts
  for (const int64_t index : indices)
    chosen.emplace(times.pts.at(static_cast<size_t>(index)), index);
  std::vector<Run> runs;
  const auto& packets = times.packets;
  size_t key = 0, key_before = 0;
  Run run;
  const auto close = [&] {
    if (!run.indices.empty()) runs.push_back(std::move(run));
    run = {};
  };
  for (size_t i = 0; i < packets.size(); ++i) {
    if (packets[i].is_key) {
      close();
      key_before = std::exchange(key, i);
      run.first = i;
    }
    const auto wanted = chosen.find(packets[i].pts);
    if (wanted == chosen.end()) continue;
    run.indices.push_back(wanted->second);
    run.last = i;
    // Pictures shown before their key frame need what is ahead of it in the file.
    if (packets[i].pts < packets[key].pts) run.first = key_before;
  }
  close();
  for (Run& one : runs) std::sort(one.indices.begin(), one.indices.end());
  return runs;
}

/// Decodes one run.
class RunFrames final : public FrameSource {
 public:
  RunFrames(const std::filesystem::path& path, SharedTimes times, Run run, int threads)
      : times_(std::move(times)),
        run_(std::move(run)),
        demuxer_(path, Demuxer::Probe::kHeader),
        stream_(demuxer_.best_video_stream()),
        decoder_(stream_, OpenOptions{.threads = threads}) {
    for (const int64_t index : run_.indices) chosen_.insert(pts_of(index));
    demuxer_.keep_only([&](const AVStream& stream) { return stream.index == stream_.index; });
    if (run_.first > 0 || times_->begins_inside) seek_to(run_.first);
  }

  const VideoInfo& info() const override { return times_->info; }

  std::shared_ptr<const Frame> next() override {
    if (next_ == run_.indices.size()) return nullptr;
    const int64_t pts = pts_of(run_.indices[next_]);
    decode_to(pts);
    const bool is_missing = !reached_ || reached_->best_effort_timestamp != pts;
    if (is_missing && !from_start_) {  // damage, or a key frame from which not all comes back
      start_over();
      decode_to(pts);
    }
    check(reached_ != nullptr, ErrorCode::kNotVideo, "nothing of the video in '",
          demuxer_.path().string(), "' can be decoded");
    // What was to be shown here did not decode: the picture before it stands for it.
    const bool is_past = reached_->best_effort_timestamp > pts && before_;
    return presented(is_past ? *before_ : *reached_);
  }

  std::vector<std::string> warnings() const override {
    if (decoder_.damaged() == 0) return {};
    return {std::to_string(decoder_.damaged()) +
            " damaged packets or pictures, skipped or concealed by the decoder"};
  }

 private:
  int64_t pts_of(int64_t index) const { return times_->pts[static_cast<size_t>(index)]; }

  void seek_to(size_t place) {
    from_start_ = false;
    const ScannedPacket& target = times_->packets[place];
    const int64_t time = target.dts == ScannedPacket::kNoTime ? target.pts : target.dts;
    place_ = place;
    if (!demuxer_.seek(stream_, time)) return start_over();
    while (demuxer_.read(*packet_))
      if (packet_->pts == target.pts) {
        packet_waiting_ = true;
        return;
      }
    start_over();  // the container's index misled
  }

  /// Again, from the start of the file.
  void start_over() {
    check(demuxer_.seek(stream_, INT64_MIN / 2), ErrorCode::kNotVideo, "'",
          demuxer_.path().string(), "' cannot be read from its start again");
    place_ = 0;
    from_start_ = true;
    decoder_.flush();
    packet_waiting_ = draining_ = ended_ = false;
    before_.reset();
    reached_.reset();
  }

  /// reached_ = the first picture at or after `pts`, or the last one.
  void decode_to(int64_t pts) {
    while (!ended_ && (!reached_ || reached_->best_effort_timestamp < pts)) {
      FramePtr frame = decode();
      ended_ = frame == nullptr;
      if (!ended_) before_ = std::exchange(reached_, std::move(frame));
    }
  }

  FramePtr decode() {
    while (true) {
      if (FramePtr frame = decoder_.receive()) return frame;
      if (draining_) return nullptr;
      const bool is_left =
          place_ <= run_.last && (std::exchange(packet_waiting_, false) || demuxer_.read(*packet_));
      if (is_left) {
        send();
      } else {
        decoder_.send(nullptr);
        draining_ = true;
      }
    }
  }

  void send() {
    // What an edit list hides and what is ahead of a stretch is not among the packets, but others
    // may need it.
    const bool is_hidden = (packet_->flags & AV_PKT_FLAG_DISCARD) != 0;
    const bool is_ahead = place_ == 0 && packet_->pts != times_->packets.front().pts;
    if (!is_hidden && !is_ahead) ++place_;
    const bool is_wanted = is_hidden || chosen_.contains(packet_->pts);
    decoder_.send(packet_.get(), is_wanted ? Care::kExact : Care::kIfReferenced);
  }

  std::shared_ptr<const Frame> presented(const AVFrame& picture) {
    const auto index = static_cast<size_t>(run_.indices[next_++]);
    FramePtr shared = make_av_frame();
    check(av_frame_ref(shared.get(), &picture) >= 0, ErrorCode::kInternal, "out of memory");
    auto frame = std::make_shared<DecodedFrame>(std::move(shared), info().display_size,
                                                orientation_of(stream_, picture));
    const auto& times_us = times_->times_us;
    frame->index = static_cast<int64_t>(index);
    frame->pts_us = times_us[index];
    const bool is_last = index + 1 == times_us.size();
    frame->duration_us = (is_last ? info().duration_us : times_us[index + 1]) - frame->pts_us;
    return frame;
  }

  const SharedTimes times_;
  Run run_;
  std::unordered_set<int64_t> chosen_;  // pts
  Demuxer demuxer_;
  AVStream& stream_;
  Decoder decoder_;
  PacketPtr packet_ = make_packet();
  bool packet_waiting_ = false;
  bool draining_ = false;
  bool ended_ = false;
  bool from_start_ = true;  // of the file: nothing is left out that a frame could need
  size_t place_ = 0;        // in times_->packets, of the packet that is read next
  FramePtr before_, reached_;
  size_t next_ = 0;  // in run_.indices
};

/// Decodes several runs side by side and gives their frames in order: without the pictures that no
/// other needs, each waits for the one before it, and four threads of a decoder do the work of two.
class ChosenFrames final : public FrameSource {
 public:
  ChosenFrames(const std::filesystem::path& path, SharedTimes times,
               const std::vector<int64_t>& indices)
      : path_(path), times_(std::move(times)), runs_(cut_runs(*times_, indices)) {
    constexpr int kMostSideBySide = 16;
    const int threads = available_threads(), runs = static_cast<int>(runs_.size());
    const int side_by_side = std::clamp(runs, 1, std::min(threads, kMostSideBySide));
    side_by_side_ = static_cast<size_t>(side_by_side);
    threads_ = (threads + side_by_side - 1) / side_by_side;
    open_more();
  }

  const VideoInfo& info() const override { return times_->info; }
  std::vector<std::string> warnings() const override { return warnings_; }

  std::shared_ptr<const Frame> next() override {
    while (!open_.empty()) {
      if (auto frame = open_.front()->next()) return frame;
      for (std::string& warning : open_.front()->warnings())
        warnings_.push_back(std::move(warning));
      open_.pop_front();
      open_more();
    }
    return nullptr;
  }

 private:
  // What a run of ten seconds has at three frames a second.
  static constexpr size_t kFramesAhead = 32, kBytesAhead = size_t{1} << 30,
                          kBytesAheadOfRun = size_t{128} << 20;

  void open_more() {
    for (; open_.size() < side_by_side_ && next_ < runs_.size(); ++next_)
      open_.push_back(std::make_unique<PrefetchingSource>(
          std::make_unique<RunFrames>(path_, times_, std::move(runs_[next_]), threads_),
          kFramesAhead, std::min(kBytesAhead / side_by_side_, kBytesAheadOfRun)));
  }

  const std::filesystem::path path_;
  const SharedTimes times_;
  std::vector<Run> runs_;
  size_t side_by_side_ = 1;
  int threads_ = 1;  // of each decoder
  size_t next_ = 0;  // in runs_
  std::deque<std::unique_ptr<PrefetchingSource>> open_;
  std::vector<std::string> warnings_;
};

/// Decodes all and counts.
class CountedFrames final : public FrameSource {
 public:
  CountedFrames(const std::filesystem::path& path, std::vector<int64_t> indices)
      : path_(path), indices_(std::move(indices)), source_(open_video(path)) {}

  const VideoInfo& info() const override { return source_->info(); }
  std::vector<std::string> warnings() const override { return source_->warnings(); }

  std::shared_ptr<const Frame> next() override {
    if (next_ == indices_.size()) return nullptr;
    while (true) {
      auto frame = source_->next();
      check(frame != nullptr, ErrorCode::kNotVideo, "'", path_.string(),
            "' changed while it was read");
      if (frame->index != indices_[next_]) continue;
      ++next_;
      return frame;
    }
  }

 private:
  std::filesystem::path path_;
  std::vector<int64_t> indices_;
  std::unique_ptr<FrameSource> source_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> open_chosen_frames(const std::filesystem::path& path,
                                                std::shared_ptr<const FrameTimes> times,
                                                const std::vector<int64_t>& indices) {
  if (times->packets.empty())
    return std::make_unique<PrefetchingSource>(std::make_unique<CountedFrames>(path, indices));
  return std::make_unique<ChosenFrames>(path, std::move(times), indices);
}

}  // namespace prismvid::media
