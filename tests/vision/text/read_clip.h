#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "media/open_video.h"
#include "vision/text/text_reader.h"

namespace prismvid::tests {

/// Called with each sample's picture and the milliseconds that the reader took for it.
struct ClipText {
  std::vector<TextTrack> tracks;
  vision::TextReaderStats stats;
  std::vector<double> sample_ms;
};

/// Runs a TextReader over a video as the pipeline does: `samples_per_second` samples, the luma of
/// every frame.
ClipText read_clip(const std::filesystem::path& video, vision::TextEngine& engine,
                   double samples_per_second = 2);

}  // namespace prismvid::tests
