#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "media/frame_source.h"

namespace prismvid::tests {

/// Paints the RGB picture of one frame; `picture` has the source's size and starts black. Must be
/// callable from any thread.
using Painter = std::function<void(int64_t index, Image& picture)>;

struct SyntheticOptions {
  Size size{640, 360};
  Rational frame_rate{25, 1};
  int64_t frames = 0;
  std::vector<int64_t> pts_us = {};        // one a frame for a variable frame rate; empty = constant
  std::vector<std::string> warnings = {};  // handed out as they are
};

/// A clip made in memory: frames are painted when asked for.
std::unique_ptr<media::FrameSource> make_synthetic_source(const SyntheticOptions& options,
                                                          Painter painter);

/// A frame of its own, of an RGB picture.
std::shared_ptr<const media::Frame> make_frame(Image rgb, int64_t index, int64_t pts_us,
                                               int64_t duration_us);

/// Fills the part [x0, x1) by [y0, y1) of an RGB picture, clipped to it.
void fill_rectangle(Image& picture, int x0, int y0, int x1, int y1, uint8_t r, uint8_t g,
                    uint8_t b);

}  // namespace prismvid::tests
