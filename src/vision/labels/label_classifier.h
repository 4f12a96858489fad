#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/results.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

/// Says what a whole picture shows, with an image classifier that a manifest describes (task
/// image_labels, or scene_class for kinds of places). Computes in f32: labels do not depend on the
/// machine. Not thread-safe.
class LabelClassifier {
 public:
  /// Throws Error(kModel) where manifest and file do not fit each other. `threads` 0 = all.
  explicit LabelClassifier(const ModelManifest& manifest, int threads = 0);

  /// The probability of each class for an RGB picture. As in the model's reference: the shorter
  /// side is resized to resize_shorter_side (antialiased bicubic), the centre is cropped, channel =
  /// (pixel - mean) / std.
  std::vector<float> probabilities(ImageView picture);

  /// The classes of at least kLeastConfidence, best first.
  std::vector<LabelScore> classify(ImageView picture);

  const std::vector<std::string>& classes() const { return classes_; }

  static constexpr float kLeastConfidence = 0.01f;
  static constexpr Precision kPrecision = Precision::kExact;

 private:
  std::vector<float> input_planes(ImageView picture) const;

  std::unique_ptr<Network> network_;
  std::vector<std::string> classes_;
  Size size_;
  int resize_shorter_side_ = 0;
  bool logits_ = false;  // the file gives logits, not probabilities
  std::array<float, 3> mean_{};
  std::array<float, 3> deviation_{};
};

/// What the labels stage says when its model is missing, and what it says for places: why, and the
/// command that mends.
std::string no_label_model_text();
std::string no_scene_class_model_text();

}  // namespace prismvid::vision
