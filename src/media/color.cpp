#include "media/color.h"

namespace prismvid::media {
namespace {

struct LumaWeights {
  float red;
  float blue;
};

LumaWeights luma_weights(AVColorSpace space) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return {0.2126f, 0.0722f};
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return {0.2627f, 0.0593f};
    case AVCOL_SPC_FCC:
      return {0.30f, 0.11f};
    case AVCOL_SPC_SMPTE240M:
      return {0.212f, 0.087f};
    default:
      return {0.299f, 0.114f};
  }
}

}  // namespace

AVColorSpace color_space_of(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return frame.colorspace;
    default:
      return frame.height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  }
}

bool is_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

YuvToRgb yuv_to_rgb(AVColorSpace space, bool full_range, int depth) {
  const auto step = static_cast<float>(1 << (depth - 8));  // one 8-bit level in units of a sample
  const float top = static_cast<float>((1 << depth) - 1);
  const LumaWeights k = luma_weights(space);
  const float green = 1 - k.red - k.blue;
  const float chroma_scale = full_range ? 255 / top : 255 / (224 * step);
  YuvToRgb result;
  result.luma_scale = full_range ? 255 / top : 255 / (219 * step);
  result.luma_offset = full_range ? 0 : -16 * step * result.luma_scale;
  result.chroma_middle = 128 * step;
  result.red_from_v = chroma_scale * 2 * (1 - k.red);
  result.blue_from_u = chroma_scale * 2 * (1 - k.blue);
  result.green_from_u = -result.blue_from_u * k.blue / green;
  result.green_from_v = -result.red_from_v * k.red / green;
  return result;
}

}  // namespace prismvid::media
