#pragma once

#include "media/ffmpeg.h"
#include "media/frame_source.h"
#include "media/orientation.h"

namespace prismvid::media {

/// A decoded picture of a file with what it takes to show it. Immutable after construction,
/// thread-safe.
class DecodedFrame final : public Frame {
 public:
  DecodedFrame(FramePtr frame, Size display_size, Orientation orientation);

  Size display_size() const override { return display_size_; }
  Image rgb(Size size) const override;
  Image luma(Size size) const override;

 private:
  FramePtr frame_;
  Size display_size_;
  Orientation orientation_;
};

}  // namespace prismvid::media
