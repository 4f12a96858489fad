#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "vision/text/db_postprocess.h"

namespace prismvid::vision {

/// PP-OCR text detection: differentiable binarisation of a segmentation network's map. The network is
/// compiled for one size of pictures, a fifth faster than for any: made for wide ones, made anew for others.
class TextDetector {
 public:
  TextDetector(const ModelManifest& model, const TextEngineOptions& options);

  /// Lines of text of an RGB picture in reading order, none where it is too small to hold text.
  std::vector<TextBox> detect(ImageView picture);

 private:
  void prepare(Size size);

  std::filesystem::path file_;
  NetworkOptions network_options_;
  Size size_;  // that network_ takes
  std::unique_ptr<Network> network_;
  DbOptions thresholds_;
  float mean_ = 0.5f;
  float deviation_ = 0.5f;
  int side_ = 640;
  std::vector<float> input_;
};

/// Size at which a picture is given to the network: sides of 32 pixels' multiples, the longest
/// about `side`. Small pictures are enlarged, twice at most.
Size detection_size(Size picture, int side);

}  // namespace prismvid::vision
