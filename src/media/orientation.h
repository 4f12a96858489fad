#pragma once

#include "core/image.h"
#include "media/ffmpeg.h"

namespace prismvid::media {

/// How a coded picture is shown: mirrored left to right first, then turned clockwise by a multiple
/// of 90 degrees.
struct Orientation {
  bool mirrored = false;
  int rotation = 0;  // 0, 90, 180, 270

  bool swaps_sides() const { return rotation % 180 != 0; }
  bool operator==(const Orientation&) const = default;
};

/// From a display matrix, rounded to the nearest quarter turn; nullptr is upright.
Orientation orientation_of(const int32_t* display_matrix);

/// From an EXIF orientation, 1 (upright) to 8.
Orientation exif_orientation(int value);

inline Size turned(Size size, Orientation orientation) {
  return orientation.swaps_sides() ? Size{size.height, size.width} : size;
}

/// The coded picture as it is shown.
Image upright(Image picture, Orientation orientation);

}  // namespace prismvid::media
