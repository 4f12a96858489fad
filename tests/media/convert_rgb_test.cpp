#include "media/convert_rgb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "media/color.h"

namespace prismvid::media {
namespace {

FramePtr noise(AVPixelFormat format, Size size) {
  FramePtr frame = make_av_frame();
  frame->format = format;
  frame->width = size.width;
  frame->height = size.height;
  EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
  const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(format);
  std::mt19937 random(7);
  for (int plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? size.height : AV_CEIL_RSHIFT(size.height, d.log2_chroma_h);
    for (int64_t i = 0; i < int64_t{rows} * frame->linesize[plane]; ++i) frame->data[plane][i] = static_cast<uint8_t>(random());
  }
  return frame;
}

/// The chroma at a luma pixel: in the middle of its columns and on the lower line.
float chroma_at(const AVFrame& frame, int plane, int x, int y) {
  const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const int width = AV_CEIL_RSHIFT(frame.width, d.log2_chroma_w), height = AV_CEIL_RSHIFT(frame.height, d.log2_chroma_h);
  const auto sample = [&](int u, int v) {
    return static_cast<float>(frame.data[plane][std::clamp(v, 0, height - 1) * frame.linesize[plane] + std::clamp(u, 0, width - 1)]);
  };
  const auto in_row = [&](int v) {
    if (d.log2_chroma_w == 0) return sample(x, v);
    return 0.75f * sample(x / 2, v) + 0.25f * sample(x % 2 ? x / 2 + 1 : x / 2 - 1, v);
  };
  if (d.log2_chroma_h == 0) return in_row(y);
  return y % 2 ? in_row(y / 2) : (in_row(y / 2 - 1) + in_row(y / 2)) / 2;
}

void expect_definition(const AVFrame& frame) {
  const YuvToRgb c = yuv_to_rgb(color_space_of(frame), is_full_range(frame), 8);
  const Image rgb = convert_rgb(frame);
  for (int y = 0; y < frame.height; ++y)
    for (int x = 0; x < frame.width; ++x) {
      const float luma = static_cast<float>(frame.data[0][y * frame.linesize[0] + x]) * c.luma_scale + c.luma_offset;
      const float u = chroma_at(frame, 1, x, y) - c.chroma_middle, v = chroma_at(frame, 2, x, y) - c.chroma_middle;
      const float expected[] = {luma + c.red_from_v * v, luma + c.green_from_u * u + c.green_from_v * v, luma + c.blue_from_u * u};
      for (int i = 0; i < 3; ++i)
        ASSERT_NEAR(rgb.row(y)[3 * x + i], std::clamp(expected[i], 0.0f, 255.0f), 1.0f) << x << "," << y << " channel " << i;
    }
}

TEST(ConvertRgb, IsWithinALevelOfItsDefinitionOnNoise) {
  for (const AVPixelFormat format : {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV440P, AV_PIX_FMT_YUV444P})
    for (const Size size : {Size{64, 48}, Size{67, 33}, Size{1, 1}, Size{2, 3}}) {
      SCOPED_TRACE(std::string(av_get_pix_fmt_name(format)) + " " + std::to_string(size.width) + "x" + std::to_string(size.height));
      expect_definition(*noise(format, size));
    }
}

TEST(ConvertRgb, LeavesOtherFormatsToLibswscale) {
  for (const AVPixelFormat format : {AV_PIX_FMT_NV12, AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_RGB24, AV_PIX_FMT_GRAY8, AV_PIX_FMT_YUV411P}) {
    AVFrame* frame = av_frame_alloc();
    frame->format = format;
    EXPECT_FALSE(can_convert_rgb(*frame)) << av_get_pix_fmt_name(format);
    av_frame_free(&frame);
  }
}

}  // namespace
}  // namespace prismvid::media
