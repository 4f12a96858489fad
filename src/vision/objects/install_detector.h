#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "vision/models/install.h"

namespace prismvid::vision {

/// What an .onnx file does not say of itself.
struct DetectorFileOptions {
  std::string decoder;               // yolox, rtdetr or dfine
  std::vector<std::string> classes;  // empty = the 80 of COCO
  std::string id;                    // empty = the file's name
  std::string licence = "unknown";
  bool decoded = false;  // YOLOX exported with decode_in_inference
  Size input_size;       // 0 = as the file declares
};

/// The class names of a text file, one a line.
std::vector<std::string> read_class_names(const std::filesystem::path& file);

/// Installs a bare .onnx object detector, a file or an http(s) address: writes its manifest, runs
/// it once on an empty picture, so that what does not fit is told now, and installs it like
/// install_model.
ModelManifest install_detector(const ModelRegistry& registry, const std::string& source,
                               const DetectorFileOptions& detector,
                               const InstallOptions& options = {});

}  // namespace prismvid::vision
