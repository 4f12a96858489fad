#include "models/qwen3_vl/video_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/error.h"

namespace prismvid::qwen3_vl {
namespace {

constexpr double kUnknownFrameRate = 24;  // as the reference

void check_options(const VideoOptions& options) {
  const auto require = [](bool condition, const char* what) {
    check(condition, ErrorCode::kInvalidArgument, "video: ", what);
  };
  require(!options.fps || (*options.fps > 0 && std::isfinite(*options.fps)), "fps must be above 0");
  for (const auto& count : {options.frames, options.min_frames, options.max_frames,
                            options.max_tokens, options.max_frame_tokens})
    require(!count || *count > 0, "frame and token counts must be 1 or more");
  require(!options.min_frames || !options.max_frames || *options.min_frames <= *options.max_frames,
          "min-frames is above max-frames");
}

// First and last frame inside [start, end], as qwen-vl-utils counts them.
std::pair<int64_t, int64_t> frame_range(const VideoFacts& facts, double rate,
                                        const VideoOptions& options) {
  int64_t first = 0, last = facts.frames - 1;
  if (options.start_us)
    first = std::max<int64_t>(0, std::ceil(static_cast<double>(*options.start_us) * 1e-6 * rate));
  if (options.end_us)
    last = std::min<int64_t>(
        last, static_cast<int64_t>(static_cast<double>(*options.end_us) * 1e-6 * rate));
  check(first <= last, ErrorCode::kInvalidArgument,
        "video: no frame lies in the range asked for; the video has ", facts.frames, " frames at ",
        rate, " a second");
  return {first, last};
}

int64_t frame_count(int64_t total, double rate, const VideoOptions& options,
                    const ProcessorConfig& processor) {
  const int64_t least = options.min_frames.value_or(processor.video_min_frames);
  const int64_t most =
      options.max_frames.value_or(std::max<int64_t>(processor.video_max_frames, least));
  if (options.frames && !options.fps) return std::min<int64_t>(*options.frames, total);
  const double fps = options.fps.value_or(processor.video_fps);
  int64_t count = static_cast<int64_t>(static_cast<double>(total) / rate * fps);
  count = std::min({std::max(count, std::min(least, most)), most, total});
  return options.frames ? std::min<int64_t>(count, *options.frames) : count;
}

}  // namespace

std::vector<int64_t> sample_frames(const VideoFacts& facts, const VideoOptions& options,
                                   const ProcessorConfig& processor) {
  check_options(options);
  check(facts.frames > 0, ErrorCode::kNotVideo, "the video has no frames");
  const double rate = facts.frame_rate > 0 ? facts.frame_rate : kUnknownFrameRate;
  const auto [first, last] = frame_range(facts, rate, options);
  const int64_t total = last - first + 1;
  const int64_t count = std::max<int64_t>(1, frame_count(total, rate, options, processor));
  std::vector<int64_t> indices(count, first);
  // As numpy.linspace: steps from the start, the end exact.
  const double step =
      count > 1 ? static_cast<double>(total - 1) / static_cast<double>(count - 1) : 0;
  for (int64_t i = 0; i < count; ++i)
    indices[i] = first + round_half_even(static_cast<double>(i) * step);
  if (count > 1) indices.back() = last;
  return indices;
}

Size planned_frame_size(Size size, int frames, const VideoOptions& options,
                        const ProcessorConfig& processor, const VisionConfig& vision) {
  const int counted = std::max(2, frames), factor = vision.factor();
  VideoBudget budget{
      processor.video_min_pixels, processor.video_max_pixels,
      options.dialect == VideoDialect::kOuter ? FrameRounding::kHalfToEven : FrameRounding::kUp};
  // A token covers `factor` by `factor` pixels of two frames.
  if (options.max_tokens) budget.max_pixels = int64_t{*options.max_tokens} * factor * factor * 2;
  if (options.max_frame_tokens)
    budget.max_pixels = capped_max_pixels(budget, counted, factor, *options.max_frame_tokens);
  budget.min_pixels = std::min(budget.min_pixels, budget.max_pixels);
  return video_frame_size(size, counted, factor, budget);
}

std::vector<double> group_times(const std::vector<int64_t>& times_us) {
  std::vector<double> times;
  for (size_t i = 0; i < times_us.size(); i += 2) {
    const size_t second = std::min(i + 1, times_us.size() - 1);
    times.push_back(
        (static_cast<double>(times_us[i]) * 1e-6 + static_cast<double>(times_us[second]) * 1e-6) /
        2);
  }
  return times;
}

std::string timestamp_text(double seconds) {
  char text[64];
  std::snprintf(text, sizeof text, "<%.1f seconds>", seconds);
  return text;
}

}  // namespace prismvid::qwen3_vl
