#include "models/qwen3_vl/patches.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::qwen3_vl {
namespace {

// One frame's part of one patch: three planes, `stride` levels apart.
void write_patch(const Image& frame, int x0, int y0, int side, uint8_t* out, size_t stride) {
  for (int y = 0; y < side; ++y) {
    const uint8_t* pixel = frame.row(y0 + y) + 3 * x0;
    for (int x = 0; x < side; ++x, ++out, pixel += 3)
      for (int c = 0; c < 3; ++c) out[c * stride] = pixel[c];
  }
}

}  // namespace

LevelTable LevelTable::of(const ProcessorConfig& processor) {
  LevelTable table;
  for (size_t c = 0; c < 3; ++c)
    for (size_t v = 0; v < 256; ++v)
      table.values[256 * c + v] =
          (static_cast<float>(static_cast<double>(v) * (1 / 255.0)) - processor.mean[c]) /
          processor.deviation[c];
  return table;
}

std::vector<float> PatchRows::values() const {
  std::vector<float> values(levels.size());
  const size_t row = levels.size() / static_cast<size_t>(grid.patches()), plane = row / 3;
  for (size_t i = 0; i < levels.size(); i += plane) {
    const float* of_channel = table.values.data() + 256 * (i % row / plane);
    for (size_t j = i; j < i + plane; ++j) values[j] = of_channel[levels[j]];
  }
  return values;
}

PatchRows make_patches(std::span<const Image> frames, const VisionConfig& vision,
                       const ProcessorConfig& processor, ThreadTeam* team) {
  check(!frames.empty(), ErrorCode::kInvalidArgument, "no frames to make patches of");
  const Size size = frames[0].size();
  const int side = vision.patch_size, merge = vision.spatial_merge_size, factor = vision.factor();
  check(size.width > 0 && size.width % factor == 0 && size.height % factor == 0,
        ErrorCode::kInternal, "a frame of ", size.width, " by ", size.height,
        " pixels does not divide into patches");
  check(std::all_of(frames.begin(), frames.end(), [&](const Image& f) { return f.size() == size; }),
        ErrorCode::kInternal, "frames of different sizes");
  const size_t plane = static_cast<size_t>(side) * side, row_levels = vision.patch_values();
  PatchRows rows{{(static_cast<int>(frames.size()) + 1) / 2, size.height / side, size.width / side},
                 {},
                 LevelTable::of(processor)};
  rows.levels.resize(static_cast<size_t>(rows.grid.patches()) * row_levels);
  const int block_rows = rows.grid.h / merge;
  const auto write_block_row = [&](size_t, size_t i) {
    const size_t t = i / static_cast<size_t>(block_rows);
    const Image& first = frames[2 * t];
    const Image& second = frames[std::min(2 * t + 1, frames.size() - 1)];
    const int y = static_cast<int>(i % static_cast<size_t>(block_rows)) * merge;
    uint8_t* row = rows.levels.data() + i * static_cast<size_t>(merge * rows.grid.w) * row_levels;
    for (int x = 0; x < rows.grid.w; x += merge)
      for (int inner = 0; inner < merge * merge; ++inner, row += row_levels) {
        const int x0 = (x + inner % merge) * side, y0 = (y + inner / merge) * side;
        write_patch(first, x0, y0, side, row, 2 * plane);
        write_patch(second, x0, y0, side, row + plane, 2 * plane);
      }
  };
  const auto count = static_cast<size_t>(rows.grid.t) * static_cast<size_t>(block_rows);
  if (team)
    team->run(count, write_block_row);
  else
    for (size_t i = 0; i < count; ++i) write_block_row(0, i);
  return rows;
}

}  // namespace prismvid::qwen3_vl
