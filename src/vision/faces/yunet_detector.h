#pragma once

#include <memory>

#include "vision/faces/face.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

struct YunetOptions {
  int longest_side = 640;  // for a model whose input may vary; rounded up to a multiple of 32
  float score_threshold = 0.6f;
  float nms_overlap = 0.3f;
};

/// YuNet (OpenCV zoo, ONNX; Wu et al. 2023). Finds faces from about 10 pixels of the analysed
/// picture and gives five landmarks. Pictures are reduced to the model's input, never enlarged, and
/// padded right and below.
class YunetDetector : public FaceDetector {
 public:
  YunetDetector(const ModelManifest& model, YunetOptions options, NetworkOptions network);
  /// For a network with YuNet's inputs and outputs, by whatever backend.
  YunetDetector(std::unique_ptr<Network> network, const YunetOptions& options);

  std::vector<DetectedFace> detect(ImageView picture) override;

 private:
  void decode(const std::vector<Tensor>& outputs, int stride,
              std::vector<DetectedFace>& faces) const;
  const Tensor& output(const std::vector<Tensor>& outputs, const char* part, int stride) const;

  YunetOptions options_;
  std::unique_ptr<Network> network_;
  std::vector<std::string> output_names_;
  Size input_;
};

}  // namespace prismvid::vision
