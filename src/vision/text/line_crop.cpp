#include "vision/text/line_crop.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "vision/text/opencv_image.h"

namespace prismvid::vision {
namespace {

constexpr double kVerticalRatio = 1.5;
// Lines are read at a height of 48 pixels. What is far larger, mostly a texture taken for text, is not worth all its pixels.
constexpr int kLargeLine = 192;
constexpr int kEnoughForLarge = 96;

int longer_side(const Quad& quad, int a, int b, int c, int d) {
  auto length = [&](int i, int j) {
    return std::hypot(quad[i].x - quad[j].x, quad[i].y - quad[j].y);
  };
  return std::max(1, static_cast<int>(std::max(length(a, b), length(c, d))));
}

/// The quad as a rectangle of whole pixels of the picture, if it is one.
std::optional<cv::Rect> upright_rectangle(ImageView picture, const Quad& quad) {
  const bool upright = quad[0].x == quad[3].x && quad[1].x == quad[2].x && quad[0].y == quad[1].y && quad[2].y == quad[3].y;
  const cv::Rect2f box(quad[0].x, quad[0].y, quad[1].x - quad[0].x, quad[3].y - quad[0].y);
  const cv::Rect whole(box);
  const bool inside = whole.x >= 0 && whole.y >= 0 && whole.br().x <= picture.width && whole.br().y <= picture.height;
  if (!upright || !inside || whole.empty() || cv::Rect2f(whole) != box) return std::nullopt;
  return whole;
}

/// The quad as an upright picture of its own size.
cv::Mat straightened(ImageView picture, const Quad& quad) {
  if (const auto box = upright_rectangle(picture, quad)) return as_mat(picture)(*box);
  int width = longer_side(quad, 0, 1, 2, 3), height = longer_side(quad, 0, 3, 1, 2);
  if (const int shorter = std::min(width, height); shorter > kLargeLine) {
    width = width * kEnoughForLarge / shorter;
    height = height * kEnoughForLarge / shorter;
  }
  std::array<cv::Point2f, 4> from;
  for (size_t i = 0; i < 4; ++i) from[i] = {quad[i].x, quad[i].y};
  const float right = static_cast<float>(width), bottom = static_cast<float>(height);
  const std::array<cv::Point2f, 4> to{cv::Point2f{0, 0}, {right, 0}, {right, bottom}, {0, bottom}};
  cv::Mat line;
  cv::warpPerspective(as_mat(picture), line, cv::getPerspectiveTransform(from.data(), to.data()),
                      {width, height}, cv::INTER_CUBIC, cv::BORDER_REPLICATE);
  return line;
}

}  // namespace

cv::Mat crop_line(ImageView picture, const Quad& quad) {
  cv::Mat line = straightened(picture, quad);
  if (line.rows >= kVerticalRatio * line.cols) cv::rotate(line, line, cv::ROTATE_90_COUNTERCLOCKWISE);
  return line;
}

}  // namespace prismvid::vision
