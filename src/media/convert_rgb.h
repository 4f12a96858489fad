#pragma once

#include "core/image.h"
#include "media/ffmpeg.h"

namespace prismvid::media {

/// Whether convert_rgb() takes the format: planar YUV of 8 bits, 4:2:0 or 4:4:4 and between.
bool can_convert_rgb(const AVFrame& frame);

/// RGB of the frame's own size. Chroma is interpolated as libswscale does it: a sample stands for the
/// middle of its two columns and the lower of its two lines. Within a level of exact.
Image convert_rgb(const AVFrame& frame);

}  // namespace prismvid::media
