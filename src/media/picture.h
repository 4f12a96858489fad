#pragma once

#include "core/image.h"
#include "media/ffmpeg.h"

namespace prismvid::media {

// A decoded picture as RGB or luma, in its coded orientation, scaled to exactly `size`.

/// RGB. Pictures up to half size are averaged straight from the coded planes, ordinary ones of full
/// size converted by convert_rgb(); the rest goes through libswscale.
Image coded_rgb(const AVFrame& frame, Size size);

/// Full-range luma, area-averaged from the luma plane where the format has one.
Image coded_luma(const AVFrame& frame, Size size);

}  // namespace prismvid::media
