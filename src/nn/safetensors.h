#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "nn/mlx.h"
#include "nn/safetensors_header.h"

namespace prismvid::nn {

/// A memory-mapped safetensors file. Arrays made from it keep the mapping alive. Thread-safe.
class SafetensorsFile {
 public:
  /// Throws Error(kModel).
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::map<std::string, TensorEntry>& tensors() const { return tensors_; }

  /// The tensor, borrowing the mapped bytes where the device can read them in place, else copied.
  mx::array array(const std::string& name) const;

 private:
  class Mapping;
  std::shared_ptr<Mapping> mapping_;
  std::map<std::string, TensorEntry> tensors_;
};

}  // namespace prismvid::nn
