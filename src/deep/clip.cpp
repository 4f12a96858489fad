#include "deep/clip.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/stopwatch.h"
#include "deep/clip_cache.h"
#include "deep/model.h"
#include "media/chosen_pictures.h"
#include "media/open_video.h"
#include "media/picture_maker.h"

namespace prismvid::deep {
namespace {

constexpr int kFewestFrames = 4;
constexpr int kMostFrames = 256;
const std::string kFramesVersion = "1 ";  // raise it when other frames or pixels may be shown

using Take = std::function<void(int64_t pts_us, const std::shared_ptr<const Image>& picture)>;

[[noreturn]] void fail_empty(const std::filesystem::path& video, const TimeRange& range) {
  fail(ErrorCode::kNotVideo, "'", video.string(), "' shows nothing from ",
       format_clock(range.start_us), " to ", format_clock(range.end_us));
}

/// Gives the picture nearest to each of `times_us`, decoding all of the range; one may be given
/// several times.
void nearest_pictures(const std::filesystem::path& video, const TimeRange& range,
                      const std::vector<int64_t>& times_us, const media::MakePicture& make,
                      const std::stop_token& stop, const Take& take) {
  media::OpenOptions options;
  options.range = range;
  const auto source = media::open_video(video, options);
  media::PictureMaker maker(
      make, [&](const media::ChosenPicture& one) { take(one.pts_us, one.picture); });
  std::shared_ptr<const media::Frame> before;
  size_t next = 0;
  while (next < times_us.size()) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    const auto frame = source->next();
    if (!frame) break;
    for (; next < times_us.size() && frame->pts_us >= times_us[next]; ++next) {
      const bool is_nearer =
          !before || frame->pts_us - times_us[next] <= times_us[next] - before->pts_us;
      maker.add(is_nearer ? frame : before);
    }
    before = frame;
  }
  if (before == nullptr) fail_empty(video, range);
  for (; next < times_us.size(); ++next) maker.add(before);
  maker.give();
}

/// The index of the frame of [first, end) nearest to each of `times_us`, of two the later.
std::vector<int64_t> nearest_indices(std::span<const int64_t> frame_times_us, size_t first,
                                     size_t end, const std::vector<int64_t>& times_us) {
  std::vector<int64_t> indices;
  for (const int64_t t_us : times_us) {
    const auto begin = frame_times_us.begin() + static_cast<std::ptrdiff_t>(first),
               behind = frame_times_us.begin() + static_cast<std::ptrdiff_t>(end);
    auto at = std::lower_bound(begin, behind, t_us);
    if (at == behind || (at != begin && t_us - at[-1] < *at - t_us)) --at;
    indices.push_back(at - frame_times_us.begin());
  }
  return indices;
}

/// The same of the frames of a range. Throws where it has none.
std::vector<int64_t> nearest_indices(const std::filesystem::path& video, const TimeRange& range,
                                     const std::vector<int64_t>& all_us,
                                     const std::vector<int64_t>& times_us) {
  const auto place = [&](int64_t t_us) {
    return static_cast<size_t>(std::lower_bound(all_us.begin(), all_us.end(), t_us) -
                               all_us.begin());
  };
  const size_t first = place(range.start_us), end = place(range.end_us);
  if (first >= end) fail_empty(video, range);
  return nearest_indices(all_us, first, end, times_us);
}

/// Gives the pictures of the frames at `indices`, which ascend; one may be given several times.
void chosen_pictures(const std::filesystem::path& video,
                     const std::shared_ptr<const media::FrameTimes>& times,
                     const std::vector<int64_t>& indices, const media::MakePicture& make,
                     const std::stop_token& stop, const Take& take) {
  media::for_each_chosen_picture(video, times, indices, make, [&](const auto& chosen) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    take(chosen.pts_us, chosen.picture);
    return true;
  });
}

/// The same of those nearest to `times_us`, with little of the file read where its packets tell.
void sought_pictures(const std::filesystem::path& video, const TimeRange& range,
                     const std::vector<int64_t>& times_us, const media::MakePicture& make,
                     const std::stop_token& stop, const Take& take) {
  auto stretch = media::scan_stretch(video, range);
  if (!stretch) return nearest_pictures(video, range, times_us, make, stop, take);
  const auto times = std::make_shared<const media::FrameTimes>(std::move(*stretch));
  chosen_pictures(video, times, nearest_indices(video, range, times->times_us, times_us), make,
                  stop, take);
}

}  // namespace

std::vector<int64_t> sample_times(const TimeRange& range, double frames_per_second, int most) {
  const double seconds = static_cast<double>(range.duration_us()) * 1e-6;
  int count =
      std::max(kFewestFrames, static_cast<int>(std::ceil(seconds * frames_per_second - 1e-6)));
  double step_us = 1e6 / frames_per_second;
  if (count > most) {
    count = most;
    step_us = static_cast<double>(range.duration_us()) / count;
  }
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i) times.push_back(range.start_us + std::llround(i * step_us));
  return times;
}

ClipReader::ClipReader(std::filesystem::path video, std::string content, const Model& model,
                       FrameSearch search)
    : video_(std::move(video)), content_(std::move(content)), model_(model), search_(search) {}

ClipCache* ClipReader::cache() const {
  return content_.empty() ? nullptr : model_.clips();
}

/// The model's files decide the size of its frames.
ClipKey ClipReader::key_of(const TimeRange& range, const std::vector<int64_t>& times_us) const {
  std::string shown = kFramesVersion + model_.card().sha256 + " " + std::to_string(range.start_us) +
                      "-" + std::to_string(range.end_us);
  for (const int64_t t_us : times_us) shown += " " + std::to_string(t_us);
  return {content_, std::move(shown)};
}

std::vector<int64_t> ClipReader::times_of(const TimeRange& range) const {
  const Feeding& feeding = model_.feeding();
  const int most = std::clamp(
      static_cast<int>(static_cast<double>(feeding.window_us) * 1e-6 * feeding.frames_per_second),
      kFewestFrames, kMostFrames);
  return sample_times(range, feeding.frames_per_second, most);
}

std::shared_ptr<const Clip> ClipReader::read(const TimeRange& range, std::stop_token stop) {
  return read(range, times_of(range), std::move(stop));
}

std::shared_ptr<const Clip> ClipReader::read(const TimeRange& range,
                                             const std::vector<int64_t>& times_us,
                                             std::stop_token stop) {
  ClipCache* const kept = cache();
  if (!kept) return decode(range, times_us, stop);
  const ClipKey key = key_of(range, times_us);
  if (auto known = kept->find(key)) {
    spdlog::debug("clip of {} frames: kept", known->frames.size());
    return known;
  }
  auto clip = decode(range, times_us, stop);
  kept->insert(key, clip);
  return clip;
}

void ClipReader::read_each(const std::vector<TimeRange>& ranges,
                           const std::function<void(std::shared_ptr<const Clip>)>& take,
                           std::stop_token stop) {
  ClipCache* const kept = cache();
  const auto is_kept = [&](const TimeRange& range) {
    return kept && kept->contains(key_of(range, times_of(range)));
  };
  const bool ascend =
      std::is_sorted(ranges.begin(), ranges.end(),
                     [](const TimeRange& a, const TimeRange& b) { return a.end_us <= b.start_us; });
  for (auto next = ranges.begin(); next != ranges.end();) {
    const auto end = ascend ? std::find_if(next, ranges.end(), is_kept) : next;
    if (end != next) find_times();  // not where all is kept: the file is read through
    if (end != next && times_) {
      decode_each({next, end}, take, stop);
      next = end;
    } else {
      take(read(*next++, stop));
    }
  }
}

void ClipReader::decode_each(std::span<const TimeRange> ranges,
                             const std::function<void(std::shared_ptr<const Clip>)>& take,
                             const std::stop_token& stop) {
  std::vector<int64_t> indices, last_of_range;
  std::vector<size_t> counts;
  for (const TimeRange& range : ranges) {
    const auto of_range = nearest_indices(video_, range, times_->times_us, times_of(range));
    indices.insert(indices.end(), of_range.begin(), of_range.end());
    last_of_range.push_back(indices.back());
    counts.push_back(of_range.size());
  }
  const auto make = [&](const media::Frame& frame) {
    const auto range = std::lower_bound(last_of_range.begin(), last_of_range.end(), frame.index);
    return shown(frame, counts[static_cast<size_t>(range - last_of_range.begin())]);
  };
  ClipCache* const kept = cache();
  const Stopwatch watch;
  std::shared_ptr<Clip> clip;
  size_t next = 0;
  chosen_pictures(video_, times_, indices, make, stop, [&](int64_t pts_us, const auto& picture) {
    if (!clip) clip = std::make_shared<Clip>(Clip{ranges[next], {}, {}});
    clip->frames.push_back(picture);
    clip->times_us.push_back(pts_us);
    if (clip->frames.size() < counts[next]) return;
    if (kept) kept->insert(key_of(ranges[next], times_of(ranges[next])), clip);
    spdlog::debug("clip of {} frames: {:.1f} ms after decoding began", clip->frames.size(),
                  1000 * watch.seconds());
    ++next;
    take(std::exchange(clip, nullptr));
  });
  check(next == ranges.size(), ErrorCode::kNotVideo, "'", video_.string(),
        "' changed while it was read");
}

std::shared_ptr<const Clip> ClipReader::decode(const TimeRange& range,
                                               const std::vector<int64_t>& times_us,
                                               const std::stop_token& stop) {
  const Stopwatch watch;
  find_times();
  auto clip = std::make_shared<Clip>(Clip{range, {}, {}});
  const auto make = [&](const media::Frame& frame) { return shown(frame, times_us.size()); };
  const auto take = [&](int64_t pts_us, const std::shared_ptr<const Image>& picture) {
    clip->frames.push_back(picture);
    clip->times_us.push_back(pts_us);
  };
  if (times_)
    chosen_pictures(video_, times_, nearest_indices(video_, range, times_->times_us, times_us),
                    make, stop, take);
  else
    sought_pictures(video_, range, times_us, make, stop, take);
  spdlog::debug("clip of {} frames: decoded in {:.1f} ms", clip->frames.size(),
                1000 * watch.seconds());
  return clip;
}

/// A frame as the model gets it, one of so many.
Image ClipReader::shown(const media::Frame& frame, size_t frames) const {
  return model_.resized(media::whole_picture(frame), static_cast<int>(frames));
}

/// Reads the file through, the first time that all times are asked for.
void ClipReader::find_times() {
  if (std::exchange(search_, FrameSearch::kSeeking) == FrameSearch::kSeeking) return;
  if (auto times = media::scan_frame_times(video_))
    times_ = std::make_shared<const media::FrameTimes>(std::move(*times));
}

std::vector<std::shared_ptr<const Image>> read_pictures(const std::filesystem::path& video,
                                                        const std::vector<int64_t>& times_us,
                                                        std::stop_token stop) {
  std::vector<std::shared_ptr<const Image>> pictures;
  if (times_us.empty()) return pictures;
  constexpr int64_t kMargin_us = 1'000'000;
  const TimeRange range{std::max<int64_t>(0, times_us.front() - kMargin_us),
                        times_us.back() + kMargin_us};
  sought_pictures(video, range, times_us, media::whole_picture, stop,
                  [&](int64_t, const auto& picture) { pictures.push_back(picture); });
  return pictures;
}

}  // namespace prismvid::deep
