#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "nn/mlx.h"

namespace prismvid::nn {

/// Where one tensor lies in a safetensors file.
struct TensorEntry {
  mx::Dtype dtype = mx::float32;
  mx::Shape shape;
  uint64_t begin = 0;  // bytes from the start of the file
  uint64_t end = 0;
};

/// Reads the header of a safetensors file of `file_bytes` bytes of which `head` holds at least the
/// header. Throws Error(kModel) naming `name` for a header that is truncated, oversized, not JSON,
/// of unknown dtypes, or whose offsets overlap, leave the file or do not agree with the shapes.
std::map<std::string, TensorEntry> parse_safetensors_header(std::span<const uint8_t> head,
                                                            uint64_t file_bytes,
                                                            const std::string& name);

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
