#pragma once

#include <span>
#include <vector>

#include "core/image.h"
#include "models/qwen3_vl/config.h"

namespace prismvid::qwen3_vl {

/// Patches of a picture (t = 1) or of a stretch of video, counted in patches.
struct Grid {
  int t = 0;
  int h = 0;
  int w = 0;

  int patches() const { return t * h * w; }
  bool operator==(const Grid&) const = default;
};

/// Rows as the vision tower takes them: one for each patch, (channel, time, y, x) inside, values
/// normalised. Order: time, then blocks of merged patches row by row, then the patches of a block.
struct PatchRows {
  Grid grid;
  std::vector<float> values;  // (grid.patches(), channels * 2 * patch * patch)
};

/// Patches of frames of one size, whose sides are multiples of the merged patch. An odd last frame
/// stands twice, so a single picture is one group of two equal frames.
PatchRows make_patches(std::span<const Image> frames, const VisionConfig& vision,
                       const ProcessorConfig& processor);

}  // namespace prismvid::qwen3_vl
