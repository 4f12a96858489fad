#include "media/picture.h"

#include <gtest/gtest.h>

#include "media/color.h"
#include "media/decoded_frame.h"

namespace prismvid::media {
namespace {

FramePtr flat_frame(AVPixelFormat format, Size size, int y, int u, int v) {
  FramePtr frame = make_av_frame();
  frame->format = format;
  frame->width = size.width;
  frame->height = size.height;
  EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(format);
  const int values[] = {y, u, v};
  for (int c = 0; c < d->nb_components; ++c) {
    const bool chroma = c > 0 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
    const int width = chroma ? AV_CEIL_RSHIFT(size.width, d->log2_chroma_w) : size.width;
    const int height = chroma ? AV_CEIL_RSHIFT(size.height, d->log2_chroma_h) : size.height;
    for (int row = 0; row < height; ++row) {
      uint8_t* line = frame->data[d->comp[c].plane] + row * frame->linesize[d->comp[c].plane] +
                      d->comp[c].offset;
      for (int x = 0; x < width; ++x, line += d->comp[c].step) {
        if (d->comp[c].depth > 8) {
          *reinterpret_cast<uint16_t*>(line) = static_cast<uint16_t>(values[c] << d->comp[c].shift);
        } else {
          *line = static_cast<uint8_t>(values[c]);
        }
      }
    }
  }
  return frame;
}

void expect_rgb(const AVFrame& frame, Size size, int r, int g, int b) {
  const Image picture = coded_rgb(frame, size);
  ASSERT_EQ(picture.size(), size);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      ASSERT_NEAR(picture.row(y)[3 * x], r, 3) << x << "," << y;
      ASSERT_NEAR(picture.row(y)[3 * x + 1], g, 3) << x << "," << y;
      ASSERT_NEAR(picture.row(y)[3 * x + 2], b, 3) << x << "," << y;
    }
  }
}

// Pure red coded by each standard, from the standards' own formulas.
TEST(Picture, RedIsRedInEveryMatrixRangeAndFormat) {
  struct Case {
    AVPixelFormat format;
    AVColorSpace space;
    AVColorRange range;
    int y, u, v;
  };
  const Case cases[] = {
      {AV_PIX_FMT_YUV420P, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 63, 102, 240},
      {AV_PIX_FMT_YUV420P, AVCOL_SPC_SMPTE170M, AVCOL_RANGE_MPEG, 81, 90, 240},
      {AV_PIX_FMT_YUV420P, AVCOL_SPC_BT2020_NCL, AVCOL_RANGE_MPEG, 74, 97, 240},
      {AV_PIX_FMT_YUV420P, AVCOL_SPC_SMPTE170M, AVCOL_RANGE_JPEG, 76, 85, 255},
      {AV_PIX_FMT_YUVJ420P, AVCOL_SPC_BT470BG, AVCOL_RANGE_UNSPECIFIED, 76, 85, 255},
      {AV_PIX_FMT_NV12, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 63, 102, 240},
      {AV_PIX_FMT_NV21, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 63, 102, 240},
      {AV_PIX_FMT_YUV422P10LE, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 250, 409, 960},
      {AV_PIX_FMT_P010LE, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 250, 409, 960},
      {AV_PIX_FMT_YUV444P12LE, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 1001, 1637, 3840},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(av_get_pix_fmt_name(c.format)) + " matrix " + std::to_string(c.space));
    const FramePtr frame = flat_frame(c.format, {64, 48}, c.y, c.u, c.v);
    frame->colorspace = c.space;
    frame->color_range = c.range;
    expect_rgb(*frame, {16, 12}, 255, 0, 0);  // averaged
    expect_rgb(*frame, {64, 48}, 255, 0, 0);  // by libswscale
    expect_rgb(*frame, {50, 31}, 255, 0, 0);
  }
}

TEST(Picture, AnUnnamedMatrixIsBt709FromHdOn) {
  const FramePtr hd = flat_frame(AV_PIX_FMT_YUV420P, {1280, 720}, 63, 102, 240);
  expect_rgb(*hd, {16, 9}, 255, 0, 0);
  const FramePtr sd = flat_frame(AV_PIX_FMT_YUV420P, {720, 576}, 81, 90, 240);
  expect_rgb(*sd, {16, 9}, 255, 0, 0);
}

TEST(Picture, LumaIsFullRangeWhateverTheStreamUses) {
  auto luma_of = [](AVPixelFormat format, AVColorRange range, int y) {
    const FramePtr frame =
        flat_frame(format, {32, 32}, y, 1 << (av_pix_fmt_desc_get(format)->comp[0].depth - 1), 128);
    frame->color_range = range;
    return int{coded_luma(*frame, {8, 8}).data()[9]};
  };
  EXPECT_EQ(luma_of(AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 16), 0);
  EXPECT_EQ(luma_of(AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 235), 255);
  EXPECT_EQ(luma_of(AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG, 255), 255);
  EXPECT_EQ(luma_of(AV_PIX_FMT_YUV420P, AVCOL_RANGE_JPEG, 100), 100);
  EXPECT_EQ(luma_of(AV_PIX_FMT_YUV420P10LE, AVCOL_RANGE_MPEG, 940), 255);
  EXPECT_EQ(luma_of(AV_PIX_FMT_P010LE, AVCOL_RANGE_MPEG, 64), 0);
  EXPECT_EQ(luma_of(AV_PIX_FMT_GRAY8, AVCOL_RANGE_JPEG, 77), 77);
}

TEST(Picture, FormatsWithoutALumaPlaneWorkToo) {
  const FramePtr rgb = flat_frame(AV_PIX_FMT_RGB24, {40, 30}, 200, 100, 50);
  expect_rgb(*rgb, {40, 30}, 200, 100, 50);
  expect_rgb(*rgb, {7, 5}, 200, 100, 50);
  EXPECT_NEAR(coded_luma(*rgb, {4, 3}).data()[0], 118, 2);
}

TEST(Picture, OnePixelCanBeShownAtAnySize) {
  const FramePtr dot = flat_frame(AV_PIX_FMT_YUV420P, {1, 1}, 81, 90, 240);
  expect_rgb(*dot, {1, 1}, 255, 0, 0);
  expect_rgb(*dot, {64, 36}, 255, 0, 0);
  EXPECT_EQ(coded_luma(*dot, {640, 360}).size(), (Size{640, 360}));
}

TEST(DecodedFrame, HdrIsToneMappedToASensibleGrey) {
  // Reference white of 203 nits is 58 % of PQ and 75 % of HLG (BT.2408); 10-bit limited-range
  // codes.
  const std::pair<AVColorTransferCharacteristic, int> whites[] = {{AVCOL_TRC_SMPTE2084, 573},
                                                                  {AVCOL_TRC_ARIB_STD_B67, 721}};
  for (const auto& [transfer, code] : whites) {
    uint8_t last = 0;
    for (const int y : {64, (64 + code) / 2, code, 940}) {
      FramePtr frame = flat_frame(AV_PIX_FMT_YUV420P10LE, {64, 48}, y, 512, 512);
      frame->color_trc = transfer;
      frame->colorspace = AVCOL_SPC_BT2020_NCL;
      const DecodedFrame shown(std::move(frame), {64, 48}, {});
      const Image small = shown.rgb({8, 6}), full = shown.rgb({64, 48}), luma = shown.luma({8, 6});
      EXPECT_NEAR(small.data()[1], luma.data()[0], 3);
      EXPECT_NEAR(full.data()[1], luma.data()[0], 6);
      EXPECT_NEAR(small.data()[0], small.data()[2], 3);
      if (y == 64) {
        EXPECT_EQ(luma.data()[0], 0);
      } else {
        EXPECT_GT(luma.data()[0], last);
      }
      if (y == code) {
        EXPECT_NEAR(luma.data()[0], 237, 6);
      }
      last = luma.data()[0];
    }
  }
}

// A 3x2 picture with its own value at each place, so that every turn can be written down.
Image numbered() {
  Image image(3, 2, 1);
  for (int i = 0; i < 6; ++i) image.data()[i] = static_cast<uint8_t>(i);
  return image;
}

std::vector<int> values(const Image& image) {
  return {image.data(), image.data() + image.width() * image.height()};
}

TEST(Orientation, TurnsClockwiseAndMirrors) {
  EXPECT_EQ(values(upright(numbered(), {false, 0})), (std::vector{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values(upright(numbered(), {false, 90})), (std::vector{3, 0, 4, 1, 5, 2}));
  EXPECT_EQ(values(upright(numbered(), {false, 180})), (std::vector{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(values(upright(numbered(), {false, 270})), (std::vector{2, 5, 1, 4, 0, 3}));
  EXPECT_EQ(values(upright(numbered(), {true, 0})), (std::vector{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(values(upright(numbered(), {true, 90})), (std::vector{5, 2, 4, 1, 3, 0}));
}

TEST(Orientation, ReadsDisplayMatrices) {
  for (const int clockwise : {0, 90, 180, 270}) {
    int32_t matrix[9];
    av_display_rotation_set(matrix, clockwise);
    EXPECT_EQ(orientation_of(matrix), (Orientation{false, clockwise}));
  }
  EXPECT_EQ(orientation_of(nullptr), Orientation{});
}

}  // namespace
}  // namespace prismvid::media
