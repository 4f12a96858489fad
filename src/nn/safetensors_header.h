#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace prismvid::nn {

/// Where one tensor lies in a safetensors file.
struct TensorEntry {
  std::string dtype;  // "BF16", one of the file format's names that MLX has too
  std::vector<int> shape;
  uint64_t begin = 0;  // bytes from the start of the file
  uint64_t end = 0;
};

/// Reads the header of a safetensors file of `file_bytes` bytes of which `head` holds at least the
/// header. Throws Error(kModel) naming `name` for a header that is truncated, oversized, not JSON,
/// of unknown dtypes, or whose offsets overlap, leave the file or do not agree with the shapes.
std::map<std::string, TensorEntry> parse_safetensors_header(std::span<const uint8_t> head,
                                                            uint64_t file_bytes,
                                                            const std::string& name);

}  // namespace prismvid::nn
