#include "vision/text/line_crop.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "vision/text/opencv_image.h"

namespace prismvid::vision {
namespace {

constexpr double kVerticalRatio = 1.5;

int longer_side(const Quad& quad, int a, int b, int c, int d) {
  auto length = [&](int i, int j) {
    return std::hypot(quad[i].x - quad[j].x, quad[i].y - quad[j].y);
  };
  return std::max(1, static_cast<int>(std::max(length(a, b), length(c, d))));
}

}  // namespace

cv::Mat crop_line(ImageView picture, const Quad& quad) {
  const int width = longer_side(quad, 0, 1, 2, 3), height = longer_side(quad, 0, 3, 1, 2);
  std::array<cv::Point2f, 4> from;
  for (size_t i = 0; i < 4; ++i) from[i] = {quad[i].x, quad[i].y};
  const float right = static_cast<float>(width), bottom = static_cast<float>(height);
  const std::array<cv::Point2f, 4> to{cv::Point2f{0, 0}, {right, 0}, {right, bottom}, {0, bottom}};
  cv::Mat line;
  cv::warpPerspective(as_mat(picture), line, cv::getPerspectiveTransform(from.data(), to.data()),
                      {width, height}, cv::INTER_CUBIC, cv::BORDER_REPLICATE);
  if (height >= kVerticalRatio * width) cv::rotate(line, line, cv::ROTATE_90_COUNTERCLOCKWISE);
  return line;
}

}  // namespace prismvid::vision
