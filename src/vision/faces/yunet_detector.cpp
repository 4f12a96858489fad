#include "vision/faces/yunet_detector.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/models/manifest_fields.h"
#include "vision/text/opencv_image.h"

namespace prismvid::vision {
namespace {

constexpr int kStrides[] = {8, 16, 32};

NetworkOptions with_size(NetworkOptions options, int longest_side) {
  const int64_t side = (longest_side + 31) / 32 * 32;
  options.fix_shape = [side](const Shape&) { return Shape{1, 3, side, side}; };
  return options;
}

YunetOptions with_manifest(const ModelManifest& model, YunetOptions options) {
  const ManifestFields fields(model);
  options.score_threshold = fields.number("score_threshold", options.score_threshold, 0, 1);
  options.nms_overlap = fields.number("nms_overlap", options.nms_overlap, 0, 1);
  return options;
}

/// Blue, green, red planes of 0..255, zero where the picture does not reach.
std::vector<float> packed(ImageView picture, Size size, Size input) {
  cv::Mat small;
  cv::resize(as_mat(picture), small, {size.width, size.height}, 0, 0, cv::INTER_AREA);
  const size_t plane = static_cast<size_t>(input.width) * input.height;
  std::vector<float> planes(plane * 3);
  pack_bgr(small, 0, 1 / 255.0f, input.width, plane, planes.data());
  return planes;
}

std::vector<DetectedFace> without_overlaps(std::vector<DetectedFace> faces, float most) {
  std::stable_sort(faces.begin(), faces.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<DetectedFace> kept;
  for (const DetectedFace& face : faces)
    if (std::none_of(kept.begin(), kept.end(), [&](const auto& other) {
          return intersection_over_union(other.box, face.box) > most;
        }))
      kept.push_back(face);
  return kept;
}

void scale(DetectedFace& face, float x, float y) {
  face.box = {face.box.x0 * x, face.box.y0 * y, face.box.x1 * x, face.box.y1 * y};
  FaceLandmarks& points = *face.landmarks;
  for (Point* point : {&points.right_eye, &points.left_eye, &points.nose, &*points.right_mouth,
                       &*points.left_mouth})
    *point = {point->x * x, point->y * y};
}

}  // namespace

YunetDetector::YunetDetector(const ModelManifest& model, YunetOptions options,
                             NetworkOptions network)
    : YunetDetector(load_network(model.path(), with_size(std::move(network), options.longest_side)),
                    with_manifest(model, options)) {}

YunetDetector::YunetDetector(std::unique_ptr<Network> network, const YunetOptions& options)
    : options_(options), network_(std::move(network)), output_names_(network_->output_names()) {
  const Shape shape = network_->input_shape(0);
  check(shape.size() == 4 && shape[1] == 3 && shape[2] > 0 && shape[3] > 0 && shape[2] % 32 == 0 &&
            shape[3] % 32 == 0,
        ErrorCode::kModel, "YuNet needs one input of 1x3xHxW with sides that are multiples of 32");
  input_ = {static_cast<int>(shape[3]), static_cast<int>(shape[2])};
}

std::vector<DetectedFace> YunetDetector::detect(ImageView picture) {
  check(picture.channels == 3, ErrorCode::kInvalidArgument, "face detection needs RGB, got ",
        picture.channels, " channels");
  const float shrink =
      std::min({1.0f, static_cast<float>(input_.width) / static_cast<float>(picture.width),
                static_cast<float>(input_.height) / static_cast<float>(picture.height)});
  auto reduced = [&](int side) {
    return std::max(1, static_cast<int>(static_cast<float>(side) * shrink));
  };
  const Size size{reduced(picture.width), reduced(picture.height)};
  const std::vector<float> planes = packed(picture, size, input_);
  const TensorView view{{1, 3, input_.height, input_.width}, planes};
  const std::vector<Tensor> outputs = network_->run({&view, 1});
  std::vector<DetectedFace> faces;
  for (const int stride : kStrides) decode(outputs, stride, faces);
  faces = without_overlaps(std::move(faces), options_.nms_overlap);
  for (DetectedFace& face : faces)
    scale(face, static_cast<float>(picture.width) / static_cast<float>(size.width),
          static_cast<float>(picture.height) / static_cast<float>(size.height));
  return faces;
}

/// As OpenCV's FaceDetectorYN: places relative to each cell, sizes as exponents, in units of the
/// stride.
void YunetDetector::decode(const std::vector<Tensor>& outputs, int stride,
                           std::vector<DetectedFace>& faces) const {
  const float* scores = output(outputs, "cls_", stride).data.data();
  const float* objects = output(outputs, "obj_", stride).data.data();
  const float* boxes = output(outputs, "bbox_", stride).data.data();
  const float* points = output(outputs, "kps_", stride).data.data();
  const int columns = input_.width / stride, cells = columns * (input_.height / stride);
  const auto unit = static_cast<float>(stride);
  for (int cell = 0; cell < cells; ++cell, boxes += 4, points += 10) {
    const float score =
        std::sqrt(std::clamp(scores[cell], 0.0f, 1.0f) * std::clamp(objects[cell], 0.0f, 1.0f));
    if (score < options_.score_threshold) continue;
    const auto column = static_cast<float>(cell % columns),
               row = static_cast<float>(cell / columns);
    auto point = [&](int i) {
      return Point{(points[2 * i] + column) * unit, (points[2 * i + 1] + row) * unit};
    };
    const float x = (column + boxes[0]) * unit, y = (row + boxes[1]) * unit;
    const float half_width = std::exp(boxes[2]) * unit / 2,
                half_height = std::exp(boxes[3]) * unit / 2;
    faces.push_back({{x - half_width, y - half_height, x + half_width, y + half_height},
                     score,
                     FaceLandmarks{point(0), point(1), point(2), point(3), point(4)}});
  }
}

const Tensor& YunetDetector::output(const std::vector<Tensor>& outputs, const char* part,
                                    int stride) const {
  const std::string name = part + std::to_string(stride);
  const auto found = std::find(output_names_.begin(), output_names_.end(), name);
  check(found != output_names_.end(), ErrorCode::kModel, "YuNet needs an output '", name,
        "': use an export with 12 outputs (2023mar)");
  const Tensor& tensor = outputs[static_cast<size_t>(found - output_names_.begin())];
  const int64_t cells = static_cast<int64_t>(input_.width / stride) * (input_.height / stride);
  const int64_t values = part[0] == 'b' ? 4 : part[0] == 'k' ? 10 : 1;
  check(static_cast<int64_t>(tensor.data.size()) == cells * values, ErrorCode::kModel,
        "YuNet's output '", name, "' has ", tensor.data.size(), " values, ", cells * values,
        " are expected");
  return tensor;
}

}  // namespace prismvid::vision
