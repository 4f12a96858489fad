#pragma once

#include "core/image.h"

namespace prismvid::vision {

/// A rectangle in whole pixels.
struct PixelArea {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

/// The part `area` of `picture` resized to `size`, by an antialiased bicubic filter (a = -0.5,
/// widened when it shrinks) in 8-bit fixed point: the same bytes as Pillow's Image.resize(size,
/// BICUBIC).crop(area).
Image resize_bicubic(ImageView picture, Size size, const PixelArea& area);

}  // namespace prismvid::vision
