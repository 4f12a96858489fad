#pragma once

#include <dlib/geometry.h>

#include <array>
#include <cstddef>
#include <vector>

#include "core/image.h"

namespace prismvid::vision {

/// Where dlib puts the levels of its image pyramid (each 5/6 of the one before) in one picture.
struct TiledPyramid {
  int rows = 0;
  int columns = 0;
  std::vector<dlib::rectangle> tiles;  // largest first

  /// Layout for a picture of `size` by dlib's own rules.
  static TiledPyramid layout(Size size, int tile_padding, int outer_padding);

  /// The same with the `count` largest levels alone, for objects of about one size.
  TiledPyramid first_levels(size_t count, int outer_padding) const;

  /// A box of the tiled picture in pixels of the original picture.
  dlib::rectangle to_picture(const dlib::drectangle& box) const;
};

/// Writes the picture and its smaller copies as (rows, columns, 3) floats (value - mean) / 256, as
/// dlib's input_rgb_image_pyramid does; what lies between the tiles is left as it is.
void fill_tiles(const TiledPyramid& pyramid, ImageView picture, const std::array<float, 3>& mean,
                float* tiles);

}  // namespace prismvid::vision
