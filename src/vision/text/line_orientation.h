#pragma once

#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "vision/text/text_engine.h"

namespace prismvid::vision {

/// Tells whether a line stands on its head (PP-OCR's line orientation classifier).
class LineOrientation {
 public:
  LineOrientation(const ModelManifest& model, const TextEngineOptions& options);
  bool upside_down(const cv::Mat& line);

 private:
  std::unique_ptr<Network> network_;
  int width_ = 192;
  int height_ = 48;
  float threshold_ = 0.9f;
  float mean_ = 0.5f;
  float deviation_ = 0.5f;
  std::vector<float> input_;
};

}  // namespace prismvid::vision
