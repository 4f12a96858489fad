#include "vision/text/db_postprocess.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <optional>

namespace prismvid::vision {
namespace {

constexpr float kMinSide = 3;
constexpr float kSameLinePixels = 10;

struct MinimalBox {
  std::array<cv::Point2f, 4> corners;  // top left, top right, bottom right, bottom left
  float short_side = 0;
};

MinimalBox minimal_box(const std::vector<cv::Point>& points) {
  const cv::RotatedRect rectangle = cv::minAreaRect(points);
  std::array<cv::Point2f, 4> p;
  rectangle.points(p.data());
  std::stable_sort(p.begin(), p.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  const bool left_down = p[1].y > p[0].y, right_down = p[3].y > p[2].y;
  return {{left_down ? p[0] : p[1], right_down ? p[2] : p[3], right_down ? p[3] : p[2],
           left_down ? p[1] : p[0]},
          std::min(rectangle.size.width, rectangle.size.height)};
}

/// Mean probability inside a box.
float box_score(const cv::Mat& map, const MinimalBox& box) {
  float x0 = box.corners[0].x, x1 = x0, y0 = box.corners[0].y, y1 = y0;
  for (const cv::Point2f& p : box.corners) {
    x0 = std::min(x0, p.x), x1 = std::max(x1, p.x);
    y0 = std::min(y0, p.y), y1 = std::max(y1, p.y);
  }
  const int left = std::clamp(static_cast<int>(std::floor(x0)), 0, map.cols - 1);
  const int right = std::clamp(static_cast<int>(std::ceil(x1)), 0, map.cols - 1);
  const int top = std::clamp(static_cast<int>(std::floor(y0)), 0, map.rows - 1);
  const int bottom = std::clamp(static_cast<int>(std::ceil(y1)), 0, map.rows - 1);
  const cv::Rect area(left, top, right - left + 1, bottom - top + 1);
  cv::Mat mask = cv::Mat::zeros(area.size(), CV_8U);
  std::vector<cv::Point> polygon;
  for (const cv::Point2f& p : box.corners)
    polygon.emplace_back(static_cast<int>(p.x - left), static_cast<int>(p.y - top));
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{polygon}, 1);
  return static_cast<float>(cv::mean(map(area), mask)[0]);
}

/// Outline of the box grown by area * ratio / perimeter with round corners: a Vatti offset of a
/// convex polygon is the hull of circles around its corners. Coordinates are whole numbers before
/// and after, as in the reference.
std::vector<cv::Point> unclipped(const MinimalBox& box, float ratio) {
  double twice_area = 0, perimeter = 0;
  for (size_t i = 0; i < 4; ++i) {
    const cv::Point2f a = box.corners[i], b = box.corners[(i + 1) % 4];
    twice_area += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
    perimeter += std::hypot(b.x - a.x, b.y - a.y);
  }
  const double distance = std::abs(twice_area) / 2 * ratio / perimeter;
  constexpr double kArcTolerance = 0.25;
  const double step =
      distance > kArcTolerance ? std::acos(1 - kArcTolerance / distance) : std::numbers::pi / 2;
  const int steps = std::max(4, 4 * static_cast<int>(std::ceil(std::numbers::pi / 2 / step)));
  std::vector<cv::Point> outline;
  for (const cv::Point2f& corner : box.corners)
    for (int i = 0; i < steps; ++i) {
      const double angle = 2 * std::numbers::pi * i / steps;
      outline.emplace_back(
          static_cast<int>(std::lround(std::trunc(corner.x) + distance * std::cos(angle))),
          static_cast<int>(std::lround(std::trunc(corner.y) + distance * std::sin(angle))));
    }
  return outline;
}

/// Corners in pixels of the picture, clockwise from the top left one; nothing where the box is too
/// thin.
std::optional<Quad> scaled_quad(const MinimalBox& box, Size map, Size picture) {
  auto scaled = [](float value, int from, int to) {
    return std::clamp(std::nearbyint(value / from * to), 0.0f, static_cast<float>(to));
  };
  std::array<Point, 4> p;
  for (size_t i = 0; i < 4; ++i)
    p[i] = {scaled(box.corners[i].x, map.width, picture.width),
            scaled(box.corners[i].y, map.height, picture.height)};
  std::stable_sort(p.begin(), p.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  if (p[0].y > p[1].y) std::swap(p[0], p[1]);
  if (p[2].y > p[3].y) std::swap(p[2], p[3]);
  Quad quad{p[0], p[2], p[3], p[1]};
  for (Point& corner : quad) {
    corner.x = std::min(corner.x, static_cast<float>(picture.width - 1));
    corner.y = std::min(corner.y, static_cast<float>(picture.height - 1));
  }
  const auto side = [&](int a, int b) {
    return std::floor(std::hypot(quad[a].x - quad[b].x, quad[a].y - quad[b].y));
  };
  if (side(0, 1) <= kMinSide || side(0, 3) <= kMinSide) return std::nullopt;
  return quad;
}

std::vector<std::vector<cv::Point>> contours_above(const cv::Mat& map, float threshold) {
  cv::Mat mask;
  cv::dilate(map > threshold, mask, cv::Mat::ones(2, 2, CV_8U));
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(mask, contours, cv::RETR_LIST, cv::CHAIN_APPROX_SIMPLE);
  return contours;
}

}  // namespace

std::vector<TextBox> boxes_from_probabilities(const float* probabilities, Size map_size,
                                              Size picture, const DbOptions& options) {
  const cv::Mat map(map_size.height, map_size.width, CV_32F, const_cast<float*>(probabilities));
  std::vector<TextBox> boxes;
  auto contours = contours_above(map, options.threshold);
  if (contours.size() > static_cast<size_t>(options.max_candidates))
    contours.resize(options.max_candidates);
  for (const auto& contour : contours) {
    const MinimalBox shrunken = minimal_box(contour);
    if (shrunken.short_side < kMinSide) continue;
    const float score = box_score(map, shrunken);
    if (score < options.box_threshold) continue;
    const MinimalBox box = minimal_box(unclipped(shrunken, options.unclip_ratio));
    if (box.short_side < kMinSide + 2) continue;
    if (const auto quad = scaled_quad(box, map_size, picture)) boxes.push_back({*quad, score});
  }
  sort_in_reading_order(boxes);
  return boxes;
}

void sort_in_reading_order(std::vector<TextBox>& boxes) {
  auto top = [](const TextBox& box) { return box.quad[0].y; };
  std::stable_sort(boxes.begin(), boxes.end(),
                   [&](const auto& a, const auto& b) { return top(a) < top(b); });
  for (auto line = boxes.begin(); line != boxes.end();) {
    auto end = line + 1;
    while (end != boxes.end() && top(*end) - top(*(end - 1)) < kSameLinePixels) ++end;
    std::stable_sort(line, end,
                     [](const auto& a, const auto& b) { return a.quad[0].x < b.quad[0].x; });
    line = end;
  }
}

}  // namespace prismvid::vision
