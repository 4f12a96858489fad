#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/image.h"
#include "media/open_video.h"

namespace prismvid::media {

struct ProbedFrames {
  Rational time_base;
  std::vector<int64_t> timestamps;  // in presentation order, in time_base

  int64_t pts_us(size_t i) const;
};

/// What ffprobe says of the frames of the first video stream.
ProbedFrames probe_frames(const std::filesystem::path& clip);

std::vector<std::shared_ptr<const Frame>> read_all(FrameSource& source);

/// Frame `index` as the ffmpeg program shows it, upright and scaled to `size`: RGB, or full-range
/// luma for one channel. Always by libswscale's accurate path: what it does by default depends on
/// the processor and is off by 3 levels on average.
Image ffmpeg_picture(const std::filesystem::path& clip, int64_t index, Size size, int channels);

/// Mean absolute difference of two pictures of one size.
double mean_difference(const Image& a, const Image& b);

}  // namespace prismvid::media
