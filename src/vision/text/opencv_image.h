#pragma once

#include <opencv2/core.hpp>

#include "core/image.h"

namespace prismvid::vision {

/// The same pixels as an OpenCV matrix, borrowed: OpenCV must not write to it.
inline cv::Mat as_mat(ImageView image) {
  return {image.height, image.width, CV_8UC(image.channels), const_cast<uint8_t*>(image.data),
          static_cast<size_t>(image.stride)};
}

/// An RGB picture as planes of floats in the order blue, green, red, (value / 255 - mean) /
/// deviation. Writes height * width floats of each plane to `planes`, rows `plane_width` floats
/// apart, planes `plane_size`.
inline void pack_bgr(const cv::Mat& rgb, float mean, float deviation, int plane_width,
                     size_t plane_size, float* planes) {
  const float scale = 1.0f / (255.0f * deviation), offset = -mean / deviation;
  for (int y = 0; y < rgb.rows; ++y) {
    const uint8_t* row = rgb.ptr<uint8_t>(y);
    float* blue = planes + static_cast<size_t>(y) * plane_width;
    float* green = blue + plane_size;
    float* red = green + plane_size;
    for (int x = 0; x < rgb.cols; ++x) {
      red[x] = row[3 * x] * scale + offset;
      green[x] = row[3 * x + 1] * scale + offset;
      blue[x] = row[3 * x + 2] * scale + offset;
    }
  }
}

}  // namespace prismvid::vision
