#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <vector>

#include "core/image.h"

namespace prismvid::media {

struct ThumbnailOptions {
  Size size;                 // of each picture
  int64_t tolerance_us = 0;  // how much earlier than asked for a picture may be
  std::stop_token stop = {};
};

/// The pictures shown at `times_us` (ascending, from the first presented frame), for previews:
/// quickly rather than exactly. A key frame within the tolerance is taken alone; only where there is
/// none the frames behind an earlier one are decoded. A time at which nothing decodes gets the picture
/// before it. Throws what open_video() throws, and Error(kCancelled).
std::vector<Image> read_thumbnails(const std::filesystem::path& video,
                                   std::span<const int64_t> times_us,
                                   const ThumbnailOptions& options);

}  // namespace prismvid::media
