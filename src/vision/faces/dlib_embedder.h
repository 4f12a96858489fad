#pragma once

#include <array>
#include <memory>

#include "vision/faces/face.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

/// dlib's 5-point landmarks, 150x150 face chip (padding 0.25) and ResNet-29: 128 values, trained so
/// that one person's lie within 0.6 of each other. Runs at f32: the vectors are kept for good and
/// compared across machines.
class DlibFaceEmbedder : public FaceEmbedder {
 public:
  static constexpr float kSamePersonCosine = 0.94f;  // identity.h says why so strict

  DlibFaceEmbedder(const ModelManifest& resnet, const ModelManifest& landmarks, int threads = 0);
  ~DlibFaceEmbedder() override;

  AlignedFace align(ImageView picture, const DetectedFace& face) override;
  std::vector<float> embed(ImageView chip) override;
  float same_person_cosine() const override;

 private:
  struct Predictor;
  std::unique_ptr<Predictor> predictor_;
  std::array<float, 3> mean_{};
  std::unique_ptr<Network> network_;
};

}  // namespace prismvid::vision
