#include "vision/text/text_detector.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/models/int8_ranges.h"
#include "vision/text/opencv_image.h"

namespace prismvid::vision {
namespace {

constexpr int kAlignment = 32;
constexpr int kSmallestSide = 8;
constexpr double kLargestEnlargement = 2;
constexpr Size kUsualPicture{1920, 1080};

}  // namespace

Size detection_size(Size picture, int side) {
  const double scale = std::min(
      kLargestEnlargement, static_cast<double>(side) / std::max(picture.width, picture.height));
  auto aligned = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(length * scale / kAlignment))) * kAlignment;
  };
  return {aligned(picture.width), aligned(picture.height)};
}

TextDetector::TextDetector(const ModelManifest& model, const TextEngineOptions& options)
    : file_(model.path()), network_options_(network_options(options)), side_(options.detection_side) {
  check(side_ >= kAlignment, ErrorCode::kInvalidArgument, "text detection at ", side_,
        " pixels: the smallest side is ", kAlignment);
  network_options_.int8_ranges = int8_ranges(model);
  const auto& parameters = *model.parameters;
  thresholds_.threshold = parameters.value("threshold", thresholds_.threshold);
  thresholds_.box_threshold = parameters.value("box_threshold", thresholds_.box_threshold);
  thresholds_.unclip_ratio = parameters.value("unclip_ratio", thresholds_.unclip_ratio);
  thresholds_.max_candidates = parameters.value("max_candidates", thresholds_.max_candidates);
  mean_ = parameters.value("mean", mean_);
  deviation_ = parameters.value("std", deviation_);
  prepare(detection_size(kUsualPicture, side_));
}

void TextDetector::prepare(Size size) {
  if (size == size_) return;
  NetworkOptions options = network_options_;
  options.fix_shape = [&](const Shape&) { return Shape{1, 3, size.height, size.width}; };
  network_ = load_network(file_, options);
  size_ = size;
}

std::vector<TextBox> TextDetector::detect(ImageView picture) {
  check(picture.channels == 3, ErrorCode::kInvalidArgument,
        "text detection takes RGB pictures, got ", picture.channels, " channels");
  if (std::min(picture.width, picture.height) < kSmallestSide) return {};
  const Size size = detection_size(picture.size(), side_);
  prepare(size);
  cv::Mat resized;
  cv::resize(as_mat(picture), resized, {size.width, size.height}, 0, 0, cv::INTER_LINEAR);
  const size_t plane = static_cast<size_t>(size.width) * size.height;
  input_.resize(3 * plane);
  pack_bgr(resized, mean_, deviation_, size.width, plane, input_.data());
  const TensorView view{{1, 3, size.height, size.width}, input_};
  const std::vector<Tensor> outputs = network_->run({&view, 1});
  check(outputs.front().data.size() == plane, ErrorCode::kModel, "the text detection model gives ",
        outputs.front().data.size(), " values for a picture of ", size.width, "x", size.height);
  return boxes_from_probabilities(outputs.front().data.data(), size, picture.size(), thresholds_);
}

}  // namespace prismvid::vision
