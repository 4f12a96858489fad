#include "vision/text/read_clip.h"

#include <chrono>

namespace prismvid::tests {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace

ClipText read_clip(const std::filesystem::path& video, vision::TextEngine& engine,
                   double samples_per_second) {
  const auto source = media::open_video(video);
  vision::TextReader reader(engine);
  ClipText result;
  std::vector<vision::LumaFrame> frames;
  int64_t next_sample_us = 0, end_us = 0;
  auto take = [&] {
    for (TextTrack& track : reader.take_finished()) result.tracks.push_back(std::move(track));
  };
  while (const auto frame = source->next()) {
    const Size size = frame->display_size();
    frames.push_back(
        {frame->index, frame->pts_us, frame->luma(fit_within(size, vision::kLumaSide))});
    end_us = frame->pts_us + frame->duration_us;
    if (frame->pts_us < next_sample_us) continue;
    next_sample_us += static_cast<int64_t>(1e6 / samples_per_second);
    const Image picture = frame->rgb(fit_within(size, vision::kSampleSide));
    const auto start = std::chrono::steady_clock::now();
    reader.add({frame->index, frame->pts_us, 0, picture}, frames);
    result.sample_ms.push_back(milliseconds_since(start));
    frames.clear();
    take();
  }
  reader.finish(frames, end_us);
  take();
  result.stats = reader.stats();
  std::stable_sort(
      result.tracks.begin(), result.tracks.end(),
      [](const TextTrack& a, const TextTrack& b) { return a.range.start_us < b.range.start_us; });
  return result;
}

}  // namespace prismvid::tests
