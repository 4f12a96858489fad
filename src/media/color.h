#pragma once

#include "media/ffmpeg.h"

namespace prismvid::media {

/// How the samples of a frame turn into full-range 8-bit values: luma * luma_scale + luma_offset
/// and so on.
struct YuvToRgb {
  float luma_scale = 1;
  float luma_offset = 0;
  float chroma_middle = 128;
  float red_from_v = 0;
  float green_from_u = 0;
  float green_from_v = 0;
  float blue_from_u = 0;
};

/// The matrix the stream names (BT.601, 709, 2020, FCC, SMPTE 240M); BT.709 from 720 lines on and
/// BT.601 below when it names none.
AVColorSpace color_space_of(const AVFrame& frame);

/// Full range when the stream or the old "yuvj" formats say so.
bool is_full_range(const AVFrame& frame);

/// For samples of `depth` bits, as in ITU-R BT.709 section 3 and BT.2020 table 5.
YuvToRgb yuv_to_rgb(AVColorSpace space, bool full_range, int depth);

}  // namespace prismvid::media
