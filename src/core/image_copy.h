#pragma once

#include <algorithm>

#include "core/image.h"

namespace prismvid {

inline Image copy_of(ImageView picture) {
  Image copy(picture.width, picture.height, picture.channels);
  for (int y = 0; y < picture.height; ++y) std::copy_n(picture.row(y), copy.stride(), copy.row(y));
  return copy;
}

}  // namespace prismvid
