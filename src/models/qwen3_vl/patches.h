#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/image.h"
#include "core/thread_team.h"
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

/// What the tower gets for each level of each channel: rescaled by 1/255 and normalised in float32,
/// in the order of the reference's processor.
struct LevelTable {
  std::array<float, size_t{3} * 256> values{};  // channel by channel

  static LevelTable of(const ProcessorConfig& processor);
};

/// Rows as the vision tower takes them: one for each patch, (channel, time, y, x) inside, as levels
/// of the pictures, a quarter of the bytes of the values they stand for. Order: time, then blocks
/// of merged patches row by row, then the patches of a block.
struct PatchRows {
  Grid grid;
  std::vector<uint8_t> levels;  // (grid.patches(), channels * 2 * patch * patch)
  LevelTable table;

  /// What the levels stand for.
  std::vector<float> values() const;
};

/// Patches of frames of one size, whose sides are multiples of the merged patch. An odd last frame
/// stands twice, so a single picture is one group of two equal frames. On the threads of `team`
/// where there is one.
PatchRows make_patches(std::span<const Image> frames, const VisionConfig& vision,
                       const ProcessorConfig& processor, ThreadTeam* team = nullptr);

}  // namespace prismvid::qwen3_vl
