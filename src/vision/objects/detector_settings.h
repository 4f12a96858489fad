#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

enum class DetectorFamily {
  kYolox,  // one output of grid cells: box, objectness, class scores; needs suppression
  kDetr,   // RT-DETR and D-FINE: a set of boxes, as logits or as labels, boxes and scores
};

/// How a picture becomes the model's input: channel = (pixel 0..255 - mean) / deviation.
struct DetectorInput {
  Size size;
  bool bgr = false;
  bool letterbox = false;  // keep the shape and pad right and below; otherwise stretch
  bool area_resize =
      false;  // area average instead of bilinear, for models trained with antialiasing
  float pad_value = 114;
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> deviation{1, 1, 1};
};

/// The object detection part of a manifest (docs/models.md lists the fields).
struct DetectorSettings {
  DetectorFamily family = DetectorFamily::kYolox;
  DetectorInput input;
  bool decoded = false;          // YOLOX: the file already turns cells into boxes in input pixels
  std::vector<int> strides;      // YOLOX
  float score_threshold = 0.1f;  // low: the tracker uses weak detections too
  float nms_overlap = 0;         // 0 = none
  bool nms_across_classes = true;
  Precision precision = Precision::kFast;
  std::vector<std::string> classes;
};

/// Throws Error(kModel) naming the field that is wrong and what would be right.
DetectorSettings parse_detector_settings(const ModelManifest& manifest);

/// The 80 classes of COCO in the order in which detectors give them.
const std::vector<std::string>& coco_classes();

}  // namespace prismvid::vision
