#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/geometry.h"

namespace prismvid {

/// Borrowed 8-bit picture: rows of `channels` interleaved bytes (1 = luma, 3 = RGB).
struct ImageView {
  const uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  int channels = 0;
  std::ptrdiff_t stride = 0;  // bytes from one row to the next

  const uint8_t* row(int y) const { return data + y * stride; }
  Size size() const { return {width, height}; }
  bool empty() const { return width == 0 || height == 0; }

  /// The part [x, x + width) by [y, y + height), which must lie inside.
  ImageView crop(int x, int y, int crop_width, int crop_height) const {
    return {row(y) + x * channels, crop_width, crop_height, channels, stride};
  }
};

/// Owned 8-bit picture without padding between rows.
class Image {
 public:
  Image() = default;
  Image(int width, int height, int channels)
      : width_(width),
        height_(height),
        channels_(channels),
        bytes_(static_cast<size_t>(width) * height * channels) {}

  int width() const { return width_; }
  int height() const { return height_; }
  int channels() const { return channels_; }
  Size size() const { return {width_, height_}; }
  bool empty() const { return bytes_.empty(); }
  std::ptrdiff_t stride() const { return static_cast<std::ptrdiff_t>(width_) * channels_; }
  uint8_t* data() { return bytes_.data(); }
  const uint8_t* data() const { return bytes_.data(); }
  uint8_t* row(int y) { return bytes_.data() + y * stride(); }
  const uint8_t* row(int y) const { return bytes_.data() + y * stride(); }
  std::span<const uint8_t> bytes() const { return bytes_; }
  ImageView view() const { return {bytes_.data(), width_, height_, channels_, stride()}; }
  operator ImageView() const { return view(); }

 private:
  int width_ = 0;
  int height_ = 0;
  int channels_ = 0;
  std::vector<uint8_t> bytes_;
};

}  // namespace prismvid
