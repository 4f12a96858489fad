#pragma once

#include <cstdint>
#include <filesystem>

#include "core/geometry.h"

namespace prismvid::tests {

/// What face_clip() shows: one real face in two visits of known times, and nobody in between and
/// after.
struct FaceClip {
  static constexpr int64_t kFirstStartUs = 1'000'000;
  static constexpr int64_t kFirstEndUs = 4'000'000;
  static constexpr int64_t kSecondStartUs = 6'000'000;
  static constexpr int64_t kSecondEndUs = 9'000'000;
  static constexpr int64_t kDurationUs = 10'000'000;
  std::filesystem::path path;

  /// Where the portrait's face is at `pts_us` within a visit, 0..1 of the picture, to about 0.03.
  static Box face_at(int64_t pts_us);
};

/// 640x360, 25 fps, H.264: a public-domain portrait crosses a moving background from left to right.
/// Made by ffmpeg, once per build folder.
FaceClip face_clip();

}  // namespace prismvid::tests
