#include "media/orientation.h"

#include <cmath>
#include <cstring>
#include <utility>

namespace prismvid::media {

Orientation orientation_of(const int32_t* display_matrix) {
  if (display_matrix == nullptr) return {};
  int32_t matrix[9];
  std::memcpy(matrix, display_matrix, sizeof matrix);
  const double determinant =
      static_cast<double>(matrix[0]) * matrix[4] - static_cast<double>(matrix[1]) * matrix[3];
  Orientation result;
  result.mirrored = determinant < 0;
  if (result.mirrored) av_display_matrix_flip(matrix, 1, 0);
  const double counterclockwise = av_display_rotation_get(matrix);
  if (std::isnan(counterclockwise)) return {};
  const int quarters = static_cast<int>(std::lround(-counterclockwise / 90));
  result.rotation = ((quarters % 4 + 4) % 4) * 90;
  return result;
}

Orientation exif_orientation(int value) {
  static constexpr Orientation kOrientations[] = {{false, 0},  {true, 0},   {false, 180},
                                                  {true, 180}, {true, 270}, {false, 90},
                                                  {true, 90},  {false, 270}};
  return value >= 1 && value <= 8 ? kOrientations[value - 1] : Orientation{};
}

Image upright(Image picture, Orientation orientation) {
  if (orientation == Orientation{}) return picture;
  const Size size = turned(picture.size(), orientation);
  Image result(size.width, size.height, picture.channels());
  // Walks the result row by row; one step right in it is `dx`, `dy` in the coded picture.
  int x0 = 0, y0 = 0, right_x = 1, right_y = 0, down_x = 0, down_y = 1;
  switch (orientation.rotation) {
    case 90:
      x0 = 0, y0 = picture.height() - 1, right_x = 0, right_y = -1, down_x = 1, down_y = 0;
      break;
    case 180:
      x0 = picture.width() - 1, y0 = picture.height() - 1, right_x = -1, right_y = 0, down_x = 0,
      down_y = -1;
      break;
    case 270:
      x0 = picture.width() - 1, y0 = 0, right_x = 0, right_y = 1, down_x = -1, down_y = 0;
      break;
    default:
      break;
  }
  if (orientation.mirrored) x0 = picture.width() - 1 - x0, right_x = -right_x, down_x = -down_x;
  const int channels = picture.channels();
  const std::ptrdiff_t right = right_y * picture.stride() + right_x * channels;
  for (int y = 0; y < size.height; ++y) {
    const uint8_t* from = picture.row(y0 + y * down_y) + (x0 + y * down_x) * channels;
    uint8_t* to = result.row(y);
    for (int x = 0; x < size.width; ++x, from += right, to += channels) {
      to[0] = from[0];
      if (channels == 3) to[1] = from[1], to[2] = from[2];
    }
  }
  return result;
}

}  // namespace prismvid::media
