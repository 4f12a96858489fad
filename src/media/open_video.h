#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "core/media_time.h"
#include "media/frame_source.h"

namespace prismvid::media {

enum class HardwareDecoding { kNone, kAuto, kVideoToolbox, kCuda, kVaapi };

struct OpenOptions {
  std::optional<TimeRange> range =
      {};  // only frames with start <= pts < end; their times and indices stay those of the file
  int threads = 0;  // of the decoder; 0 = as many as this process may run
  HardwareDecoding hardware = HardwareDecoding::kNone;
  /// Where set, a picture that no other one needs is decoded without its loop filter, a tenth faster
  /// and slightly wrong, unless it is the first at or after a tick of this rate (counted from the
  /// start of the range).
  std::optional<Rational> exact_pictures_per_second = {};
};

/// Opens a video for one linear pass over its best video stream and decodes its first frame. Memory
/// does not grow with the video's length. Not thread-safe; the frames are. Throws Error: kNotFound,
/// kUnreadable (a directory, no permission), kNotVideo (no video stream, nothing decodes),
/// kUnavailable (the hardware asked for cannot decode here), kInvalidArgument (an empty range, one
/// that starts past the end).
std::unique_ptr<FrameSource> open_video(const std::filesystem::path& path,
                                        const OpenOptions& options = {});

}  // namespace prismvid::media
