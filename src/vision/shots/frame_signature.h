#pragma once

#include <array>
#include <cstdint>

#include "core/image.h"

namespace prismvid::vision {

/// [x0, x1) by [y0, y1).
struct PixelArea {
  int x0 = 0;
  int y0 = 0;
  int x1 = 0;
  int y1 = 0;
};

/// What the default shot detector keeps of a frame: a smoothed luma picture, coarse colours,
/// contrast.
struct FrameSignature {
  static constexpr int kWidth = 64;
  static constexpr int kHeight = 36;
  static constexpr int kCell = 4;  // pixels of one coarse colour cell on each side
  static constexpr int kCellColumns = kWidth / kCell;
  static constexpr int kCellRows = kHeight / kCell;

  using Luma = std::array<int16_t, kWidth * kHeight>;
  using Cells = std::array<float, kCellColumns * kCellRows * 3>;

  Luma luma{};                                                  // 0..255, smoothed by 3x3
  std::array<int32_t, (kWidth + 1) * (kHeight + 1)> sum{};      // integral picture of luma
  std::array<int32_t, (kWidth + 1) * (kHeight + 1)> squares{};  // and of its squares
  Cells cells{};        // mean R, G, B of each 4x4 cell, 0..255
  PixelArea active{};   // without black bars
  float mean = 0;       // of luma
  float deviation = 0;  // standard deviation of luma
  float gradient = 0;   // mean squared difference of neighbouring luma pixels
};

/// `picture`: RGB of kWidth x kHeight.
FrameSignature make_signature(ImageView picture);

/// How little of `b` can be explained by moving parts of `a`: 0 the same scene, about 0.5 and more
/// another one. Blind to motion up to an eighth of the picture and to changes of brightness and
/// contrast.
float structure_distance(const FrameSignature& a, const FrameSignature& b);

/// Mean absolute difference of the coarse colours, 0..1.
float colour_distance(const FrameSignature& a, const FrameSignature& b);

}  // namespace prismvid::vision
