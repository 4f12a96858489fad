#pragma once

#include "core/results.h"

namespace prismvid::vision {

/// What a text's role is told from; lengths are parts of the picture's height or width.
struct TextAppearance {
  Box box;
  float angle_degrees = 0;
  Point drift;  // from first to last sight
  double duration_s = 0;
  bool stood_in_moving_picture = false;
  bool crossed_shots = false;  // it stayed while the shot changed
  bool started_with_shot = false;
  bool ended_with_shot = false;
  int rising_neighbours = 0;  // other texts that rose at the same time
};

TextRole text_role(const TextAppearance& text);

}  // namespace prismvid::vision
