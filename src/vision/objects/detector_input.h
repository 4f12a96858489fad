#pragma once

#include <span>

#include "core/image.h"
#include "vision/objects/detector_settings.h"

namespace prismvid::vision {

/// Where the picture lies in the model's input, in input pixels.
struct InputPlacement {
  float width = 0;
  float height = 0;

  /// A box in input pixels as 0..1 of the picture.
  Box to_picture(const Box& box) const {
    return {box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height};
  }
};

/// Resizes an RGB picture and writes it as three planes of input.size. The picture lies at the top
/// left.
InputPlacement fill_input(ImageView picture, const DetectorInput& input, std::span<float> planes);

}  // namespace prismvid::vision
