#include "vision/objects/detector_output.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace prismvid::vision {
namespace {

std::string to_text(const Shape& shape) {
  std::string text;
  for (const int64_t side : shape) text += (text.empty() ? "" : "x") + std::to_string(side);
  return text;
}

Box around(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

float sigmoid(float v) {
  return 1 / (1 + std::exp(-v));
}

void expect_shape(const char* what, const Tensor& tensor, const Shape& expected) {
  check(tensor.shape == expected, ErrorCode::kModel, "the detector's ", what, " are ",
        to_text(tensor.shape), ", expected ", to_text(expected),
        ": do 'decoder', 'input' and 'classes' of its manifest fit the file?");
}

/// One cell: best class times objectness. `values` are box, objectness, class scores.
Detection best_class(const float* values, size_t classes) {
  const float* best = std::max_element(values + 5, values + 5 + classes);
  return {{}, *best * values[4], static_cast<int>(best - (values + 5))};
}

}  // namespace

std::vector<Detection> decode_yolox(const Tensor& output, const DetectorSettings& settings) {
  const Size size = settings.input.size;
  const size_t classes = settings.classes.size();
  int64_t cells = 0;
  for (const int stride : settings.strides)
    cells += static_cast<int64_t>(size.width / stride) * (size.height / stride);
  expect_shape("output cells", output, {1, cells, static_cast<int64_t>(5 + classes)});
  std::vector<Detection> found;
  const float* cell = output.data.data();
  for (const int stride : settings.strides)
    for (int row = 0; row < size.height / stride; ++row)
      for (int column = 0; column < size.width / stride; ++column, cell += 5 + classes) {
        if (!(cell[4] >= settings.score_threshold)) continue;
        Detection detection = best_class(cell, classes);
        if (!(detection.score >= settings.score_threshold)) continue;
        detection.box = settings.decoded
                            ? around(cell[0], cell[1], cell[2], cell[3])
                            : around((cell[0] + static_cast<float>(column)) * stride,
                                     (cell[1] + static_cast<float>(row)) * stride,
                                     std::exp(cell[2]) * stride, std::exp(cell[3]) * stride);
        found.push_back(detection);
      }
  return found;
}

std::vector<Detection> decode_detr_logits(const Tensor& logits, const Tensor& boxes,
                                          const DetectorSettings& settings) {
  const auto classes = static_cast<int64_t>(settings.classes.size());
  const int64_t queries = boxes.shape.size() == 3 ? boxes.shape[1] : 0;
  expect_shape("boxes", boxes, {1, queries, 4});
  expect_shape("logits", logits, {1, queries, classes});
  std::vector<Detection> found;
  for (int64_t query = 0; query < queries; ++query) {
    const float* box = boxes.data.data() + 4 * query;
    for (int64_t class_id = 0; class_id < classes; ++class_id) {
      const float score = sigmoid(logits.data[query * classes + class_id]);
      if (!(score >= settings.score_threshold)) continue;
      const auto width = static_cast<float>(settings.input.size.width);
      const auto height = static_cast<float>(settings.input.size.height);
      found.push_back({around(box[0] * width, box[1] * height, box[2] * width, box[3] * height),
                       score, static_cast<int>(class_id)});
    }
  }
  return found;
}

std::vector<Detection> decode_detr_boxes(const Tensor& labels, const Tensor& boxes,
                                         const Tensor& scores, const DetectorSettings& settings) {
  const int64_t count = boxes.shape.size() == 3 ? boxes.shape[1] : 0;
  expect_shape("boxes", boxes, {1, count, 4});
  expect_shape("labels", labels, {1, count});
  expect_shape("scores", scores, {1, count});
  std::vector<Detection> found;
  for (int64_t i = 0; i < count; ++i) {
    if (!(scores.data[i] >= settings.score_threshold)) continue;
    const float label = labels.data[i];
    check(label >= 0 && label < static_cast<float>(settings.classes.size()), ErrorCode::kModel,
          "the detector found class ", label, ", its manifest names ", settings.classes.size(),
          " classes");
    const float* box = boxes.data.data() + 4 * i;
    found.push_back({{box[0], box[1], box[2], box[3]}, scores.data[i], static_cast<int>(label)});
  }
  return found;
}

std::vector<Detection> suppress(std::vector<Detection> detections, float overlap,
                                bool across_classes) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  if (overlap <= 0) return detections;
  std::vector<Detection> kept;
  for (const Detection& candidate : detections) {
    const bool hidden = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return (across_classes || better.class_id == candidate.class_id) &&
             intersection_over_union(better.box, candidate.box) > overlap;
    });
    if (!hidden) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace prismvid::vision
