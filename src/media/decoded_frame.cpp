#include "media/decoded_frame.h"

#include <utility>

#include "core/error.h"
#include "media/picture.h"
#include "media/tone_map.h"

namespace prismvid::media {
namespace {

void check_size(Size size) {
  check(size.width > 0 && size.height > 0 && size.width <= 32768 && size.height <= 32768,
        ErrorCode::kInvalidArgument, "a frame cannot be scaled to ", size.width, "x", size.height,
        ", sides are 1 to 32768");
}

}  // namespace

DecodedFrame::DecodedFrame(FramePtr frame, Size display_size, Orientation orientation)
    : frame_(std::move(frame)), display_size_(display_size), orientation_(orientation) {}

Image DecodedFrame::rgb(Size size) const {
  check_size(size);
  Image picture = coded_rgb(*frame_, turned(size, orientation_));
  if (const ToneMap* map = ToneMap::of(*frame_)) map->apply_to_rgb(picture);
  return upright(std::move(picture), orientation_);
}

Image DecodedFrame::luma(Size size) const {
  check_size(size);
  Image picture = coded_luma(*frame_, turned(size, orientation_));
  if (const ToneMap* map = ToneMap::of(*frame_)) map->apply_to_luma(picture);
  return upright(std::move(picture), orientation_);
}

}  // namespace prismvid::media
