#include "vision/faces/dlib_detector.h"

#include <dlib/image_processing/box_overlap_testing.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/faces/dlib_network.h"

namespace prismvid::vision {
namespace {

/// Margin 0 is dlib's border between face and not, 1 the margin it was trained to keep.
float score_of(float margin) {
  return std::clamp(0.5f + 0.5f * margin, 0.0f, 1.0f);
}

Image reduced(ImageView picture, Size size) {
  Image result(size.width, size.height, 3);
  const cv::Mat from(picture.height, picture.width, CV_8UC3, const_cast<uint8_t*>(picture.data),
                     static_cast<size_t>(picture.stride));
  cv::Mat to(size.height, size.width, CV_8UC3, result.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return result;
}

/// A place of the output in the network's input, as each layer's map_output_to_input of dlib.
int input_place(const std::vector<DlibLayer>& layers, int place) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
    if (layer->kind == DlibLayerKind::kConvolution)
      place = static_cast<int>(place * layer->stride - layer->padding + layer->window / 2);
  return place;
}

std::vector<MmodDetection> without_overlaps(std::vector<MmodDetection> found,
                                            const dlib::test_box_overlap& overlap) {
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.margin > b.margin; });
  std::vector<MmodDetection> kept;
  for (const MmodDetection& detection : found)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const auto& other) { return overlap(other.box, detection.box); }))
      kept.push_back(detection);
  return kept;
}

}  // namespace

DlibFaceDetector::DlibFaceDetector(const ModelManifest& model, const DlibDetectorOptions& options)
    : options_(options), model_(read_dlib_detector(model.path())) {
  check(options.longest_side >= 80, ErrorCode::kInvalidArgument,
        "face detection needs a longest side of at least 80 pixels, got ", options.longest_side);
}

std::vector<DetectedFace> DlibFaceDetector::detect(ImageView picture) {
  check(picture.channels == 3, ErrorCode::kInvalidArgument, "face detection needs RGB, got ",
        picture.channels, " channels");
  const Size size = fit_within(picture.size(), options_.longest_side);
  const auto found =
      size == picture.size() ? detect_at_size(picture) : detect_at_size(reduced(picture, size));
  const float scale_x = static_cast<float>(picture.width) / static_cast<float>(size.width);
  const float scale_y = static_cast<float>(picture.height) / static_cast<float>(size.height);
  std::vector<DetectedFace> faces;
  for (const auto& [box, margin] : found)
    faces.push_back(
        {{static_cast<float>(box.left()) * scale_x, static_cast<float>(box.top()) * scale_y,
          static_cast<float>(box.right() + 1) * scale_x,
          static_cast<float>(box.bottom() + 1) * scale_y},
         score_of(margin),
         std::nullopt});
  return faces;
}

std::vector<MmodDetection> DlibFaceDetector::detect_at_size(ImageView picture) {
  prepare(picture.size());
  if (!network_) return {};
  fill_tiles(pyramid_, picture, model_.network.mean, tiles_.data());
  const TensorView input{{1, pyramid_.rows, pyramid_.columns, 3}, tiles_};
  return decode(network_->run({&input, 1}).front());
}

void DlibFaceDetector::prepare(Size size) {
  if (size == size_) return;
  size_ = size;
  pyramid_ = TiledPyramid::layout(size, model_.tile_padding, model_.outer_padding);
  tiles_.assign(static_cast<size_t>(pyramid_.rows) * pyramid_.columns * 3, 0.0f);
  const bool holds_a_face = std::max(size.width, size.height) >= model_.windows.front().width / 2;
  network_ = holds_a_face ? compile_dlib_network(model_.network, pyramid_.rows, pyramid_.columns,
                                                 options_.network)
                          : nullptr;
}

std::vector<MmodDetection> DlibFaceDetector::decode(const Tensor& scores) const {
  const auto rows = static_cast<int>(scores.shape[2]), columns = static_cast<int>(scores.shape[3]);
  std::vector<MmodDetection> found;
  const float* score = scores.data.data();
  for (const DlibDetectorWindow& window : model_.windows)
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x, ++score) {
        if (*score <= options_.least_margin) continue;
        const dlib::dpoint center(input_place(model_.network.layers, x),
                                  input_place(model_.network.layers, y));
        const auto box = dlib::centered_drect(center, window.width, window.height);
        found.push_back({pyramid_.to_picture(box), *score});
      }
  return without_overlaps(std::move(found),
                          dlib::test_box_overlap(model_.nms_iou, model_.nms_covered));
}

}  // namespace prismvid::vision
