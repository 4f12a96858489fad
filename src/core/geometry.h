#pragma once

#include <algorithm>
#include <array>

namespace prismvid {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
};

struct Point {
  float x = 0;
  float y = 0;
};

/// Corners of an axis-parallel box. In results: 0..1 of the displayed picture.
struct Box {
  float x0 = 0;
  float y0 = 0;
  float x1 = 0;
  float y1 = 0;

  float width() const { return x1 - x0; }
  float height() const { return y1 - y0; }
  float area() const { return std::max(0.0f, width()) * std::max(0.0f, height()); }
};

/// Four corners, clockwise from the top left one in reading order.
using Quad = std::array<Point, 4>;

inline Box intersection(const Box& a, const Box& b) {
  return {std::max(a.x0, b.x0), std::max(a.y0, b.y0), std::min(a.x1, b.x1), std::min(a.y1, b.y1)};
}

inline float intersection_over_union(const Box& a, const Box& b) {
  const Box shared = intersection(a, b);
  if (shared.width() <= 0 || shared.height() <= 0) return 0;
  return shared.area() / (a.area() + b.area() - shared.area());
}

inline Box clipped(const Box& box) {
  auto unit = [](float v) { return std::clamp(v, 0.0f, 1.0f); };
  return {unit(box.x0), unit(box.y0), unit(box.x1), unit(box.y1)};
}

inline Box bounding_box(const Quad& quad) {
  Box box{quad[0].x, quad[0].y, quad[0].x, quad[0].y};
  for (const Point& p : quad)
    box = {std::min(box.x0, p.x), std::min(box.y0, p.y), std::max(box.x1, p.x), std::max(box.y1, p.y)};
  return box;
}

/// The largest size of the same shape as `size` that fits in `limit` by `limit` and is not enlarged; sides at least 1.
inline Size fit_within(Size size, int limit) {
  const int longest = std::max(size.width, size.height);
  if (longest <= limit) return size;
  auto scaled = [&](int side) {
    return std::max(1, static_cast<int>((static_cast<long long>(side) * limit + longest / 2) / longest));
  };
  return {scaled(size.width), scaled(size.height)};
}

}  // namespace prismvid
