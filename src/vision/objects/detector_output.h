#pragma once

#include <span>
#include <vector>

#include "core/results.h"
#include "vision/network/network.h"
#include "vision/objects/detector_settings.h"

namespace prismvid::vision {

/// Reads YOLOX's output 1 x cells x (4 + 1 + classes), all strides one after the other. Boxes are
/// in input pixels.
std::vector<Detection> decode_yolox(const Tensor& output, const DetectorSettings& settings);

/// Reads logits 1 x queries x classes and boxes 1 x queries x 4 (centre x, centre y, width, height,
/// 0..1 of the input). As in the reference every pair of query and class counts. Boxes are in input
/// pixels.
std::vector<Detection> decode_detr_logits(const Tensor& logits, const Tensor& boxes,
                                          const DetectorSettings& settings);

/// Reads labels 1 x n, boxes 1 x n x 4 (corners) and scores 1 x n, as the exporters of RT-DETR and
/// D-FINE write them. Boxes stay in the unit the model was given as orig_target_sizes.
std::vector<Detection> decode_detr_boxes(const Tensor& labels, const Tensor& boxes,
                                         const Tensor& scores, const DetectorSettings& settings);

/// Greedy non-maximum suppression; best first.
std::vector<Detection> suppress(std::vector<Detection> detections, float overlap,
                                bool across_classes);

}  // namespace prismvid::vision
