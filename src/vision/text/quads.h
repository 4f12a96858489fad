#pragma once

#include <cmath>
#include <numbers>

#include "core/geometry.h"

namespace prismvid::vision {

inline Quad scaled(const Quad& quad, float x, float y) {
  Quad result = quad;
  for (Point& p : result) p = {p.x * x, p.y * y};
  return result;
}

inline Quad shifted(const Quad& quad, float dx, float dy) {
  Quad result = quad;
  for (Point& p : result) p = {p.x + dx, p.y + dy};
  return result;
}

/// Of its upper side, clockwise.
inline float angle_degrees(const Quad& quad) {
  return std::atan2(quad[1].y - quad[0].y, quad[1].x - quad[0].x) * 180 / std::numbers::pi_v<float>;
}

}  // namespace prismvid::vision
