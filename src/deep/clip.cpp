#include "deep/clip.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "deep/model.h"
#include "media/open_video.h"

namespace prismvid::deep {
namespace {

constexpr int kFewestFrames = 4;
constexpr int kMostFrames = 256;

using Take = std::function<void(const media::Frame& frame)>;

/// Gives the frame nearest to each of `times_us`; one frame may be given several times.
void nearest_frames(const std::filesystem::path& video, const TimeRange& range,
                    const std::vector<int64_t>& times_us, const std::stop_token& stop,
                    const Take& take) {
  media::OpenOptions options;
  options.range = range;
  const auto source = media::open_video(video, options);
  std::shared_ptr<const media::Frame> before;
  size_t next = 0;
  while (next < times_us.size()) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    const auto frame = source->next();
    if (!frame) break;
    for (; next < times_us.size() && frame->pts_us >= times_us[next]; ++next) {
      const bool is_nearer =
          !before || frame->pts_us - times_us[next] <= times_us[next] - before->pts_us;
      take(is_nearer ? *frame : *before);
    }
    before = frame;
  }
  check(before != nullptr, ErrorCode::kNotVideo, "'", video.string(), "' shows nothing from ",
        format_clock(range.start_us), " to ", format_clock(range.end_us));
  for (; next < times_us.size(); ++next) take(*before);
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

std::shared_ptr<const Clip> read_clip(const std::filesystem::path& video, const TimeRange& range,
                                      const Model& model, std::stop_token stop) {
  const Feeding& feeding = model.feeding();
  const int most = std::clamp(
      static_cast<int>(static_cast<double>(feeding.window_us) * 1e-6 * feeding.frames_per_second),
      kFewestFrames, kMostFrames);
  return read_clip(video, range, sample_times(range, feeding.frames_per_second, most), model,
                   std::move(stop));
}

std::shared_ptr<const Clip> read_clip(const std::filesystem::path& video, const TimeRange& range,
                                      const std::vector<int64_t>& times_us, const Model& model,
                                      std::stop_token stop) {
  auto clip = std::make_shared<Clip>();
  clip->range = range;
  const auto count = static_cast<int>(times_us.size());
  nearest_frames(video, range, times_us, stop, [&](const media::Frame& frame) {
    const bool repeated = !clip->times_us.empty() && clip->times_us.back() == frame.pts_us;
    clip->frames.push_back(repeated ? clip->frames.back()
                                    : std::make_shared<const Image>(
                                          model.resized(frame.rgb(frame.display_size()), count)));
    clip->times_us.push_back(frame.pts_us);
  });
  return clip;
}

std::vector<std::shared_ptr<const Image>> read_pictures(const std::filesystem::path& video,
                                                        const std::vector<int64_t>& times_us,
                                                        std::stop_token stop) {
  std::vector<std::shared_ptr<const Image>> pictures;
  if (times_us.empty()) return pictures;
  constexpr int64_t kMargin_us = 1'000'000;
  const TimeRange range{std::max<int64_t>(0, times_us.front() - kMargin_us),
                        times_us.back() + kMargin_us};
  nearest_frames(video, range, times_us, stop, [&](const media::Frame& frame) {
    pictures.push_back(std::make_shared<const Image>(frame.rgb(frame.display_size())));
  });
  return pictures;
}

}  // namespace prismvid::deep
