#include "models/qwen3_vl/patches.h"

#include <array>

#include "core/error.h"

namespace prismvid::qwen3_vl {
namespace {

using Table = std::array<std::array<float, 256>, 3>;

// Rescaled by 1/255 and normalised in float32, in the order of the reference's processor.
Table normalisation(const ProcessorConfig& processor) {
  Table table;
  for (int c = 0; c < 3; ++c)
    for (int v = 0; v < 256; ++v)
      table[c][v] =
          (static_cast<float>(v * (1 / 255.0)) - processor.mean[c]) / processor.deviation[c];
  return table;
}

// One frame's part of one patch: three planes, `stride` floats apart.
void write_patch(const Image& frame, int x0, int y0, int side, const Table& table, float* out,
                 size_t stride) {
  for (int y = 0; y < side; ++y) {
    const uint8_t* pixel = frame.row(y0 + y) + 3 * x0;
    for (int x = 0; x < side; ++x, ++out, pixel += 3)
      for (int c = 0; c < 3; ++c) out[c * stride] = table[c][pixel[c]];
  }
}

}  // namespace

PatchRows make_patches(std::span<const Image> frames, const VisionConfig& vision,
                       const ProcessorConfig& processor) {
  check(!frames.empty(), ErrorCode::kInvalidArgument, "no frames to make patches of");
  const Size size = frames[0].size();
  const int side = vision.patch_size, merge = vision.spatial_merge_size, factor = vision.factor();
  check(size.width > 0 && size.width % factor == 0 && size.height % factor == 0,
        ErrorCode::kInternal, "a frame of ", size.width, " by ", size.height,
        " pixels does not divide into patches");
  const Table table = normalisation(processor);
  const size_t plane = static_cast<size_t>(side) * side, row_values = vision.patch_values();
  PatchRows rows{{(static_cast<int>(frames.size()) + 1) / 2, size.height / side, size.width / side},
                 {}};
  rows.values.resize(static_cast<size_t>(rows.grid.patches()) * row_values);
  float* row = rows.values.data();
  for (int t = 0; t < rows.grid.t; ++t) {
    const Image& first = frames[2 * t];
    const Image& second = frames[std::min<size_t>(2 * t + 1, frames.size() - 1)];
    check(first.size() == size && second.size() == size, ErrorCode::kInternal,
          "frames of different sizes");
    for (int y = 0; y < rows.grid.h; y += merge)
      for (int x = 0; x < rows.grid.w; x += merge)
        for (int inner = 0; inner < merge * merge; ++inner, row += row_values) {
          const int x0 = (x + inner % merge) * side, y0 = (y + inner / merge) * side;
          write_patch(first, x0, y0, side, table, row, 2 * plane);
          write_patch(second, x0, y0, side, table, row + plane, 2 * plane);
        }
  }
  return rows;
}

}  // namespace prismvid::qwen3_vl
