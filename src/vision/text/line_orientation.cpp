#include "vision/text/line_orientation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/text/opencv_image.h"

namespace prismvid::vision {

LineOrientation::LineOrientation(const ModelManifest& model, const TextEngineOptions& options) {
  const auto& parameters = *model.parameters;
  width_ = parameters.value("width", width_);
  height_ = parameters.value("height", height_);
  threshold_ = parameters.value("threshold", threshold_);
  mean_ = parameters.value("mean", mean_);
  deviation_ = parameters.value("std", deviation_);
  NetworkOptions one_shape = network_options(options);
  one_shape.fix_shape = [&](const Shape&) { return Shape{1, 3, height_, width_}; };
  network_ = load_network(model.path(), one_shape);
}

bool LineOrientation::upside_down(const cv::Mat& line) {
  const double aspect = line.cols / static_cast<double>(line.rows);
  const int width = std::clamp(static_cast<int>(std::ceil(height_ * aspect)), 1, width_);
  cv::Mat resized;
  cv::resize(line, resized, {width, height_}, 0, 0, cv::INTER_LINEAR);
  const size_t plane = static_cast<size_t>(width_) * height_;
  input_.assign(3 * plane, 0.0f);
  pack_bgr(resized, mean_, deviation_, width_, plane, input_.data());
  const TensorView view{{1, 3, height_, width_}, input_};
  const std::vector<Tensor> outputs = network_->run({&view, 1});
  const std::vector<float>& scores = outputs.front().data;  // upright, upside down
  check(scores.size() == 2, ErrorCode::kModel, "the line orientation model gives ", scores.size(),
        " scores, not 2");
  return scores[1] > scores[0] && scores[1] > threshold_;
}

}  // namespace prismvid::vision
