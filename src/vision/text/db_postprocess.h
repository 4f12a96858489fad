#pragma once

#include <vector>

#include "core/geometry.h"
#include "vision/text/text_engine.h"

namespace prismvid::vision {

/// Thresholds of differentiable binarisation; the defaults are rapidocr's for PP-OCRv6.
struct DbOptions {
  float threshold = 0.3f;      // of a pixel's probability
  float box_threshold = 0.5f;  // of a box's mean probability
  float unclip_ratio = 1.6f;   // the network sees shrunken lines: grow by area * ratio / perimeter
  int max_candidates = 1000;
};

/// Boxes of a probability map [map.height, map.width], scaled to a picture of size `picture`, in
/// reading order. Follows rapidocr's DBPostProcess (ch_ppocr_det/utils.py).
std::vector<TextBox> boxes_from_probabilities(const float* probabilities, Size map, Size picture,
                                              const DbOptions& options);

/// Lines from top to bottom; boxes whose tops differ by less than 10 pixels form one line, left to
/// right.
void sort_in_reading_order(std::vector<TextBox>& boxes);

}  // namespace prismvid::vision
