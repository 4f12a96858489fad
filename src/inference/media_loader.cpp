#include "inference/media_loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "core/cpu.h"
#include "core/error.h"
#include "core/sha256.h"
#include "core/thread_team.h"
#include "media/chosen_pictures.h"
#include "media/still_picture.h"
#include "models/qwen3_vl/bicubic.h"
#include "models/qwen3_vl/frame_size.h"

namespace prismvid::inference {
namespace {

constexpr int kPatchesOfPart = 4096;  // about how many one part holds
constexpr size_t kPartsAhead = 2;

std::shared_ptr<const Image> pixels_of(const ImageSource& source) {
  if (const auto* path = std::get_if<std::filesystem::path>(&source))
    return std::make_shared<const Image>(media::read_picture(*path));
  return std::get<std::shared_ptr<const Image>>(source);
}

qwen3_vl::Grid grid_of(Size size, int frames, const MediaSettings& settings) {
  const int side = settings.vision.patch_size;
  return {(frames + 1) / 2, size.height / side, size.width / side};
}

MediaPlan plan_image(const ImageSource& source, const MediaSettings& settings) {
  MediaPlan plan;
  plan.picture = pixels_of(source);
  plan.source_size = plan.picture->size();
  plan.size = qwen3_vl::image_size(plan.source_size, settings.vision.factor(),
                                   settings.processor.image_min_pixels,
                                   settings.processor.image_max_pixels);
  plan.layout.grid = grid_of(plan.size, 1, settings);
  return plan;
}

void finish_video_plan(MediaPlan& plan, const VideoSource& video, const MediaSettings& settings) {
  const int frames = static_cast<int>(plan.times_us.size());
  plan.video = true;
  plan.size = qwen3_vl::planned_frame_size(plan.source_size, frames, video.options,
                                           settings.processor, settings.vision);
  plan.layout = {grid_of(plan.size, frames, settings), qwen3_vl::group_times(plan.times_us)};
}

MediaPlan plan_frame_list(const FrameList& list, const VideoSource& video,
                          const MediaSettings& settings) {
  check(!list.frames.empty() && list.frames.size() == list.times_us.size(),
        ErrorCode::kInvalidArgument, "a frame list needs one time for each of its frames, got ",
        list.frames.size(), " frames and ", list.times_us.size(), " times");
  MediaPlan plan;
  plan.source_size = list.frames[0]->size();
  for (const auto& frame : list.frames)
    check(frame->size() == plan.source_size, ErrorCode::kInvalidArgument,
          "the frames of a list differ in size");
  plan.times_us = list.times_us;
  finish_video_plan(plan, video, settings);
  return plan;
}

MediaPlan plan_video_file(const std::filesystem::path& path, const VideoSource& video,
                          const MediaSettings& settings) {
  MediaPlan plan;
  plan.file = std::make_shared<const media::FrameTimes>(media::read_frame_times(path));
  const media::VideoInfo& info = plan.file->info;
  const std::vector<int64_t>& times = plan.file->times_us;
  check(!times.empty(), ErrorCode::kNotVideo, path.string(), " holds no frames");
  plan.source_size = info.display_size;
  plan.frame_indices = qwen3_vl::sample_frames(
      {static_cast<int64_t>(times.size()), info.frame_rate.value(), info.display_size},
      video.options, settings.processor);
  for (const int64_t index : plan.frame_indices) plan.times_us.push_back(times[index]);
  finish_video_plan(plan, video, settings);
  return plan;
}

// A bounded queue of parts between the decoding and the encoding thread.
class PartQueue {
 public:
  explicit PartQueue(std::function<void()> on_ready) : on_ready_(std::move(on_ready)) {}

  /// False: the consumer is gone.
  bool push(MediaPart part) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || parts_.size() < kPartsAhead; });
    if (closed_) return false;
    parts_.push_back(std::move(part));
    lock.unlock();
    announce();
    return true;
  }

  bool ready() const {
    const std::lock_guard lock(mutex_);
    return closed_ || !parts_.empty();
  }

  std::optional<MediaPart> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !parts_.empty(); });
    if (parts_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    MediaPart part = std::move(parts_.front());
    parts_.pop_front();
    changed_.notify_all();
    return part;
  }

  void close(std::exception_ptr error = nullptr) {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      if (error) error_ = error;
    }
    announce();
  }

 private:
  void announce() {
    changed_.notify_all();
    if (on_ready_) on_ready_();
  }

  const std::function<void()> on_ready_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<MediaPart> parts_;
  bool closed_ = false;
  std::exception_ptr error_;
};

// A name of the pixels as the model gets them.
std::string key_of(const Image& frame) {
  Sha256 hash;
  hash.update(std::to_string(frame.width()) + "x" + std::to_string(frame.height()) + ";");
  hash.update(frame.bytes());
  return hash.hex();
}

// What is done to a frame until it can be resized.
using ReadPixels = std::function<std::shared_ptr<const Image>()>;

// Resizes frames, several at once, and gives them on as parts of whole pairs.
class PartMaker {
 public:
  PartMaker(const MediaPlan& plan, const MediaSettings& settings, ThreadTeam& team,
            const std::function<bool(MediaPart)>& give)
      : plan_(plan), settings_(settings), team_(team), give_(give) {
    const int patches = plan.layout.grid.h * plan.layout.grid.w;
    frames_of_part_ = 2 * static_cast<size_t>(std::max(1, kPatchesOfPart / patches));
  }

  /// False: nobody wants more. `read` is called once, from another thread.
  bool add(ReadPixels read) {
    waiting_.push_back(std::move(read));
    const bool full = frames_.size() + waiting_.size() == frames_of_part_;
    if (full) return flush();
    if (waiting_.size() == team_.size()) resize();
    return true;
  }

  bool flush() {
    resize();
    if (frames_.empty()) return true;
    MediaPart part{qwen3_vl::make_patches(frames_, settings_.vision, settings_.processor, &team_),
                   {}};
    for (size_t i = 0; i < keys_.size(); i += 2)
      part.keys.push_back(sha256_hex(keys_[i] + keys_[std::min(i + 1, keys_.size() - 1)]));
    frames_.clear();
    keys_.clear();
    return give_(std::move(part));
  }

 private:
  void resize() {
    const size_t first = frames_.size();
    frames_.resize(first + waiting_.size());
    keys_.resize(frames_.size());
    team_.run(waiting_.size(), [&](size_t, size_t i) {
      frames_[first + i] = qwen3_vl::resize_bicubic(*waiting_[i](), plan_.size);
      keys_[first + i] = key_of(frames_[first + i]);
    });
    waiting_.clear();
  }

  const MediaPlan& plan_;
  const MediaSettings& settings_;
  ThreadTeam& team_;
  const std::function<bool(MediaPart)>& give_;
  size_t frames_of_part_ = 2;
  std::vector<ReadPixels> waiting_;
  std::vector<Image> frames_;
  std::vector<std::string> keys_;  // of frames_
};

void decode_planned_frames(const std::filesystem::path& path, const MediaPlan& plan,
                           PartMaker& parts, const std::stop_token& stop) {
  const auto resized = [&](const media::Frame& frame) {
    return qwen3_vl::resize_bicubic(media::whole_picture(frame), plan.size);
  };
  const bool all = media::for_each_chosen_picture(
      path, plan.file, plan.frame_indices, resized, [&](const auto& chosen) {
        return !stop.stop_requested() && parts.add([picture = chosen.picture] { return picture; });
      });
  if (all) parts.flush();
}

void load_medium(const std::variant<ImageSource, VideoSource>& source, const MediaPlan& plan,
                 PartMaker& parts, const std::stop_token& stop) {
  if (plan.picture) {
    if (parts.add([&] { return plan.picture; })) parts.flush();
    return;
  }
  const auto& video = std::get<VideoSource>(source);
  if (const auto* path = std::get_if<std::filesystem::path>(&video.frames))
    return decode_planned_frames(*path, plan, parts, stop);
  for (const auto& frame : std::get<FrameList>(video.frames).frames)
    if (!parts.add([&frame] { return frame; })) return;
  parts.flush();
}

}  // namespace

MediaPlan plan_media(const std::variant<ImageSource, VideoSource>& source,
                     const MediaSettings& settings) {
  if (const auto* image = std::get_if<ImageSource>(&source)) return plan_image(*image, settings);
  const auto& video = std::get<VideoSource>(source);
  if (const auto* list = std::get_if<FrameList>(&video.frames))
    return plan_frame_list(*list, video, settings);
  return plan_video_file(std::get<std::filesystem::path>(video.frames), video, settings);
}

struct MediaStream::State {
  State(std::vector<std::variant<ImageSource, VideoSource>> sources, std::vector<MediaPlan> planned,
        const MediaSettings& how, std::function<void()> on_ready)
      : media(std::move(sources)),
        plans(std::move(planned)),
        settings(how),
        queue(std::move(on_ready)),
        thread([this](const std::stop_token& stop) { run(stop); }) {}

  void run(const std::stop_token& stop) {
    try {
      ThreadTeam team(static_cast<size_t>(available_threads()));
      const std::function<bool(MediaPart)> give = [&](MediaPart part) {
        return queue.push(std::move(part));
      };
      for (size_t i = 0; i < media.size() && !stop.stop_requested(); ++i) {
        PartMaker parts(plans[i], settings, team, give);
        load_medium(media[i], plans[i], parts, stop);
      }
      queue.close();
    } catch (...) {
      queue.close(std::current_exception());
    }
  }

  const std::vector<std::variant<ImageSource, VideoSource>> media;
  const std::vector<MediaPlan> plans;
  const MediaSettings settings;
  PartQueue queue;
  std::jthread thread;  // last: it uses the rest
};

MediaStream::MediaStream(std::vector<std::variant<ImageSource, VideoSource>> media,
                         std::vector<MediaPlan> plans, const MediaSettings& settings,
                         std::function<void()> on_ready)
    : state_(std::make_unique<State>(std::move(media), std::move(plans), settings,
                                     std::move(on_ready))) {}

MediaStream::~MediaStream() {
  state_->thread.request_stop();
  state_->queue.close();  // the decoder must not wait for room any more before it is joined
}

bool MediaStream::ready() const {
  return state_->queue.ready();
}

std::optional<MediaPart> MediaStream::next() {
  return state_->queue.pop();
}

}  // namespace prismvid::inference
