#include "vision/objects/detector_input.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "core/error.h"

namespace prismvid::vision {
namespace {

/// Every value a channel of a pixel can become.
using ChannelValues = std::array<float, 256>;

std::array<ChannelValues, 3> channel_values(const DetectorInput& input) {
  std::array<ChannelValues, 3> values;
  for (int channel = 0; channel < 3; ++channel)
    for (int pixel = 0; pixel < 256; ++pixel)
      values[channel][pixel] =
          (static_cast<float>(pixel) - input.mean[channel]) / input.deviation[channel];
  return values;
}

Size placed_size(Size picture, const DetectorInput& input) {
  if (!input.letterbox) return input.size;
  const double scale = std::min(static_cast<double>(input.size.width) / picture.width,
                                static_cast<double>(input.size.height) / picture.height);
  return {std::max(1, static_cast<int>(picture.width * scale)),
          std::max(1, static_cast<int>(picture.height * scale))};
}

}  // namespace

InputPlacement fill_input(ImageView picture, const DetectorInput& input, std::span<float> planes) {
  check(!picture.empty() && picture.channels == 3, ErrorCode::kInternal,
        "a detector needs an RGB picture, got ", picture.width, "x", picture.height, " with ",
        picture.channels, " channels");
  const size_t area = static_cast<size_t>(input.size.width) * input.size.height;
  check(planes.size() == 3 * area, ErrorCode::kInternal, "detector input of ", planes.size(),
        " floats");
  const Size placed = placed_size(picture.size(), input);
  const cv::Mat from(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(picture.data),
                     picture.stride);
  cv::Mat resized;
  cv::resize(from, resized, {placed.width, placed.height}, 0, 0,
             input.area_resize ? cv::INTER_AREA : cv::INTER_LINEAR);
  const auto values = channel_values(input);
  for (int channel = 0; channel < 3; ++channel) {
    const int source = input.bgr ? 2 - channel : channel;
    const float padding = (input.pad_value - input.mean[channel]) / input.deviation[channel];
    float* plane = planes.data() + channel * area;
    for (int y = 0; y < input.size.height; ++y, plane += input.size.width) {
      const int width = y < placed.height ? placed.width : 0;
      const uint8_t* pixel = width > 0 ? resized.ptr<uint8_t>(y) + source : nullptr;
      for (int x = 0; x < width; ++x) plane[x] = values[channel][pixel[3 * x]];
      std::fill(plane + width, plane + input.size.width, padding);
    }
  }
  return {static_cast<float>(placed.width), static_cast<float>(placed.height)};
}

}  // namespace prismvid::vision
