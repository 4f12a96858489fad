#pragma once

#include <cstdint>
#include <memory>

#include "core/image.h"

namespace prismvid::vision {

/// A picture for the detectors. They get samples in time order, a few each second, once the shot is settled.
struct Sample {
  int64_t frame = 0;
  int64_t pts_us = 0;
  int shot = 0;        // index of its shot: a change tells the trackers to start anew
  ImageView picture;   // RGB, the displayed picture, longest side at most kSampleSide; valid during the call only
  int64_t duration_us = 1;  // of the frame: what is seen once was there that long
  std::shared_ptr<const void> owner = nullptr;  // where set: picture, and frames given with it, are valid as long as it is kept
};

/// Brightness of one frame at low cost: every frame, for what must be exact to the frame.
struct LumaFrame {
  int64_t frame = 0;
  int64_t pts_us = 0;
  Image luma;          // one channel, the displayed picture, longest side at most kLumaSide
};

inline constexpr int kSampleSide = 1920;
inline constexpr int kLumaSide = 640;

}  // namespace prismvid::vision
