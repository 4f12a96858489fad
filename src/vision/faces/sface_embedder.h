#pragma once

#include <memory>

#include "vision/faces/face.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

/// SFace (OpenCV zoo, ONNX): 112x112 chips by five landmarks, 128 values compared by cosine. Needs
/// a detector that gives landmarks (YuNet). Runs at f32, as vectors are kept for good.
class SfaceEmbedder : public FaceEmbedder {
 public:
  static constexpr float kSamePersonCosine = 0.45f;  // SFace's own 0.363 is for pairs, not for an archive

  explicit SfaceEmbedder(const ModelManifest& model, int threads = 0);
  SfaceEmbedder(std::unique_ptr<Network> network, float same_person_cosine);

  AlignedFace align(ImageView picture, const DetectedFace& face) override;
  std::vector<float> embed(ImageView chip) override;
  float same_person_cosine() const override { return same_person_cosine_; }

 private:
  std::unique_ptr<Network> network_;
  float same_person_cosine_;
};

}  // namespace prismvid::vision
