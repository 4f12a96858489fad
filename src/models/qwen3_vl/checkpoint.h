#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "models/qwen3_vl/config.h"
#include "nn/mlx.h"
#include "nn/quantization.h"

namespace prismvid::qwen3_vl {

/// The files of a checkpoint: config.json, safetensors, tokenizer and processor settings.
struct Checkpoint {
  std::filesystem::path folder;
  Config config;
  std::map<std::string, mx::array>
      tensors;  // by canonical name, memory-mapped where the device allows
  nn::QuantizationTable quantization;
  uint64_t bytes = 0;  // of all tensors in the files
};

/// Opens a folder in Hugging Face's or mlx-community's naming and layout. Throws Error(kNotFound)
/// without the folder, Error(kModel) for damaged or missing files.
Checkpoint open_checkpoint(const std::filesystem::path& folder);

/// Hugging Face's name of a tensor or module: "language_model.model.layers.0..." and
/// "model.layers.0..." become "model.language_model.layers.0...", "vision_tower..." and "visual..."
/// become "model.visual...".
std::string canonical_name(const std::string& name);

}  // namespace prismvid::qwen3_vl
