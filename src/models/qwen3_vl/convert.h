#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace prismvid::qwen3_vl {

struct ConvertOptions {
  int bits = 4;                 // 2, 3, 4, 5, 6 or 8; 0 leaves the weights as they are
  int group_size = 64;          // 32, 64 or 128
  std::string mode = "affine";  // mxfp4, mxfp8 and nvfp4 have bits and groups of their own
};

struct ConvertResult {
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  int files = 0;
};

/// Writes the checkpoint in `from` as mlx-community does: its names and layouts, embedding, head
/// and text layers in groups, vision tower and norms as they are. Equal bit for bit to
/// mlx-vlm 0.7.10. `to` must not exist or be empty. `progress` gets each file written. Throws
/// Error(kInvalidArgument or kModel).
ConvertResult convert_checkpoint(const std::filesystem::path& from, const std::filesystem::path& to,
                                 const ConvertOptions& options,
                                 const std::function<void(const std::string& file)>& progress = {});

}  // namespace prismvid::qwen3_vl
