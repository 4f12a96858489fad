#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/results.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"
#include "vision/objects/detector_settings.h"

namespace prismvid::vision {

/// Finds objects in pictures with a YOLOX, RT-DETR or D-FINE model that a manifest describes. The
/// file's inputs and outputs tell which of the published exports it is; docs/models.md lists them.
/// Not thread-safe.
class ObjectDetector {
 public:
  /// Throws Error(kModel) where manifest and file do not fit each other. `threads` 0 = all.
  explicit ObjectDetector(const ModelManifest& manifest, int threads = 0);

  /// Objects of an RGB picture, best first, boxes 0..1 of it. All scores from the manifest's
  /// threshold on, which is low: the tracker sorts them out.
  std::vector<Detection> detect(ImageView picture);

  const std::vector<std::string>& classes() const { return settings_.classes; }
  Precision precision() const { return settings_.precision; }

 private:
  enum class Layout { kCells, kLogits, kBoxes };

  void find_inputs(const std::string& model);
  void find_outputs(const std::string& model);
  std::vector<Tensor> run(Size picture);
  std::vector<Detection> decode(const std::vector<Tensor>& outputs) const;

  DetectorSettings settings_;
  std::unique_ptr<Network> network_;
  Layout layout_ = Layout::kCells;
  size_t image_input_ = 0;
  std::vector<size_t> outputs_;  // in the order in which their decoder takes them
  std::vector<float> planes_;
};

/// What the objects stage says when no detector is installed: why, and the commands that mend it.
std::string no_object_detector_text();

}  // namespace prismvid::vision
