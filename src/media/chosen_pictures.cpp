#include "media/chosen_pictures.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/cpu.h"
#include "core/error.h"
#include "media/decoded_frame.h"
#include "media/decoder.h"
#include "media/demuxer.h"
#include "media/disposable_packet.h"
#include "media/open_video.h"
#include "media/picture_maker.h"
#include "media/video_info.h"

namespace prismvid::media {
namespace {

using SharedTimes = std::shared_ptr<const FrameTimes>;

/// Packets [first, last] of the file, from a key frame on, and the chosen frames among them.
struct Run {
  size_t first = 0;
  size_t last = 0;
  std::vector<int64_t> indices;  // of the frames
  size_t place = 0;              // of its first frame among all that were chosen
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
  size_t place = 0;
  for (Run& one : runs) {
    std::sort(one.indices.begin(), one.indices.end());
    one.place = std::exchange(place, place + one.indices.size());
  }
  return runs;
}

/// Decodes one run.
class RunFrames {
 public:
  /// `demuxer` may have been used for another run.
  RunFrames(Demuxer& demuxer, SharedTimes times, Run run, int threads)
      : times_(std::move(times)),
        run_(std::move(run)),
        demuxer_(demuxer),
        stream_(demuxer_.best_video_stream()),
        disposable_(*stream_.codecpar),
        decoder_(stream_, OpenOptions{.threads = threads}) {
    for (const int64_t index : run_.indices) chosen_.insert(pts_of(index));
    demuxer_.keep_only([&](const AVStream& stream) { return stream.index == stream_.index; });
    if (run_.first > 0 || times_->begins_inside)
      seek_to(run_.first);
    else if (demuxer_.has_read())
      start_over();
  }

  std::shared_ptr<const Frame> next() {
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
    // A packet that the decoder throws away would take the turn of one of its threads.
    if (!is_wanted && disposable_.contains(*packet_)) return;
    decoder_.send(packet_.get(), is_wanted ? Care::kExact : Care::kIfReferenced);
  }

  std::shared_ptr<const Frame> presented(const AVFrame& picture) {
    const auto index = static_cast<size_t>(run_.indices[next_++]);
    FramePtr shared = make_av_frame();
    check(av_frame_ref(shared.get(), &picture) >= 0, ErrorCode::kInternal, "out of memory");
    auto frame = std::make_shared<DecodedFrame>(std::move(shared), times_->info.display_size,
                                                orientation_of(stream_, picture));
    const auto& times_us = times_->times_us;
    frame->index = static_cast<int64_t>(index);
    frame->pts_us = times_us[index];
    const bool is_last = index + 1 == times_us.size();
    frame->duration_us = (is_last ? times_->info.duration_us : times_us[index + 1]) - frame->pts_us;
    return frame;
  }

  const SharedTimes times_;
  Run run_;
  std::unordered_set<int64_t> chosen_;  // pts
  Demuxer& demuxer_;
  AVStream& stream_;
  const DisposablePackets disposable_;
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

/// Decodes several runs side by side: without the pictures that no other needs, each waits for the
/// one before it, and the threads of one decoder do the work of half as many.
class PicturesOfRuns final : public PictureSource {
 public:
  PicturesOfRuns(const std::filesystem::path& path, SharedTimes times,
                 const std::vector<int64_t>& indices, MakePicture make)
      : path_(path),
        times_(std::move(times)),
        make_(std::move(make)),
        runs_(cut_runs(*times_, indices)),
        made_(indices.size()),
        threads_(available_threads()) {
    // Few at once, so that the first are soon over.
    constexpr int kFewest = 2, kCoresOfOne = 4;
    workers_ = std::min(
        {static_cast<int>(runs_.size()), threads_, std::max(kFewest, threads_ / kCoresOfOne)});
    for (int i = 0; i < workers_; ++i)
      team_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }

  ~PicturesOfRuns() override {
    for (std::jthread& thread : team_) thread.request_stop();
  }

  std::optional<ChosenPicture> next() override {
    if (next_ == made_.size()) return std::nullopt;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return made_[next_].picture.picture || made_[next_].problem; });
    if (made_[next_].problem) std::rethrow_exception(made_[next_].problem);
    ChosenPicture picture = std::move(made_[next_++].picture);
    bytes_ahead_ -= picture.picture->bytes().size();
    lock.unlock();
    changed_.notify_all();
    return picture;
  }

 private:
  static constexpr size_t kBytesAhead = size_t{256} << 20;
  static constexpr int kThreadsOfCore = 2;  // one of them waits for the picture before its own

  struct Made {
    ChosenPicture picture;
    std::exception_ptr problem;  // instead
  };

  void work(const std::stop_token& stop) {
    std::optional<Demuxer> demuxer;
    std::unique_lock lock(mutex_);
    while (next_run_ < runs_.size() && !stop.stop_requested()) {
      // The last runs have the cores of those that ended.
      const int side_by_side =
          std::min(workers_, busy_ + static_cast<int>(runs_.size() - next_run_));
      const int threads = (kThreadsOfCore * threads_ + side_by_side - 1) / side_by_side;
      const Run& run = runs_[next_run_++];
      ++busy_;
      lock.unlock();
      decode(run, demuxer, threads, stop);
      lock.lock();
      --busy_;
    }
  }

  /// What it throws is met by whoever asks for the frame that is missing.
  void decode(const Run& run, std::optional<Demuxer>& demuxer, int threads,
              const std::stop_token& stop) {
    size_t place = run.place;
    try {
      if (!demuxer) demuxer.emplace(path_, Demuxer::Probe::kHeader);
      RunFrames frames(*demuxer, times_, run, threads);
      while (!stop.stop_requested()) {
        const auto frame = frames.next();
        if (!frame) return;
        auto picture = std::make_shared<const Image>(make_(*frame));
        if (!keep(place, run, {frame->index, frame->pts_us, std::move(picture)}, stop)) return;
        ++place;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      made_[place].problem = std::current_exception();
      changed_.notify_all();
    }
  }

  /// Waits for room, unless the run is the one that is asked for. False: nobody wants more.
  bool keep(size_t place, const Run& run, ChosenPicture picture, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop,
                       [&] { return bytes_ahead_ < kBytesAhead || next_ >= run.place; }))
      return false;
    bytes_ahead_ += picture.picture->bytes().size();
    made_[place].picture = std::move(picture);
    changed_.notify_all();
    return true;
  }

  const std::filesystem::path path_;
  const SharedTimes times_;
  const MakePicture make_;
  const std::vector<Run> runs_;
  std::mutex mutex_;  // guards all below but what the constructor sets
  std::condition_variable_any changed_;
  std::vector<Made> made_;  // one for each chosen frame
  size_t next_ = 0;         // in made_
  size_t bytes_ahead_ = 0;
  size_t next_run_ = 0;
  const int threads_;  // of all decoders
  int workers_ = 0;
  int busy_ = 0;                    // workers that decode
  std::vector<std::jthread> team_;  // last: it uses the rest
};

/// Decodes all and counts; pictures are made several at once.
class PicturesOfAll final : public PictureSource {
 public:
  PicturesOfAll(const std::filesystem::path& path, std::vector<int64_t> indices, MakePicture make)
      : path_(path),
        indices_(std::move(indices)),
        source_(open_video(path)),
        maker_(std::move(make), [this](ChosenPicture one) { made_.push_back(std::move(one)); }) {}

  std::optional<ChosenPicture> next() override {
    while (made_.empty() && next_ < indices_.size()) {
      maker_.add(decode_to(indices_[next_++]));
      if (next_ == indices_.size()) maker_.give();
    }
    if (made_.empty()) return std::nullopt;
    ChosenPicture picture = std::move(made_.front());
    made_.pop_front();
    return picture;
  }

 private:
  std::shared_ptr<const Frame> decode_to(int64_t index) {
    while (true) {
      auto frame = source_->next();
      check(frame != nullptr, ErrorCode::kNotVideo, "'", path_.string(),
            "' changed while it was read");
      if (frame->index == index) return frame;
    }
  }

  const std::filesystem::path path_;
  const std::vector<int64_t> indices_;
  const std::unique_ptr<FrameSource> source_;
  std::deque<ChosenPicture> made_;
  PictureMaker maker_;
  size_t next_ = 0;  // in indices_
};

}  // namespace

std::unique_ptr<PictureSource> open_chosen_pictures(const std::filesystem::path& path,
                                                    std::shared_ptr<const FrameTimes> times,
                                                    const std::vector<int64_t>& indices,
                                                    MakePicture make) {
  if (times->packets.empty())
    return std::make_unique<PicturesOfAll>(path, indices, std::move(make));
  return std::make_unique<PicturesOfRuns>(path, std::move(times), indices, std::move(make));
}

bool for_each_chosen_picture(const std::filesystem::path& path,
                             std::shared_ptr<const FrameTimes> times,
                             const std::vector<int64_t>& indices, MakePicture make,
                             const std::function<bool(const ChosenPicture&)>& take) {
  std::vector<int64_t> distinct;
  std::unique_copy(indices.begin(), indices.end(), std::back_inserter(distinct));
  const auto source = open_chosen_pictures(path, std::move(times), distinct, std::move(make));
  size_t next = 0;
  while (const auto chosen = source->next())
    for (; next < indices.size() && indices[next] == chosen->index; ++next)
      if (!take(*chosen)) return false;
  return true;
}

Image whole_picture(const Frame& frame) {
  return frame.rgb(frame.display_size());
}

}  // namespace prismvid::media
