#include "media/convert_rgb.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/vector_clones.h"
#include "media/color.h"

namespace prismvid::media {
namespace {

// Factors and sums are integers of 16 bits, in sixteenths of a level: what vectors multiply fastest.
constexpr int kSixteenths = 16;

int16_t fixed(float value, float one) {
  return static_cast<int16_t>(std::lround(value * one));
}

int16_t high_product(int16_t a, int16_t b) {
  return static_cast<int16_t>((int32_t{a} * b) >> 16);
}

/// Luma comes times 128, chroma times 256 less the middle.
struct Matrix {
  int16_t luma, luma_offset, red_v, green_u, green_v, blue_u;

  explicit Matrix(const YuvToRgb& c)
      : luma(fixed(c.luma_scale, 65536 * kSixteenths / 128.0f)),
        luma_offset(fixed(c.luma_offset + 0.5f, kSixteenths)),
        red_v(fixed(c.red_from_v, 65536 * kSixteenths / 256.0f)),
        green_u(fixed(c.green_from_u, 65536 * kSixteenths / 256.0f)),
        green_v(fixed(c.green_from_v, 65536 * kSixteenths / 256.0f)),
        blue_u(fixed(c.blue_from_u, 65536 * kSixteenths / 256.0f)) {}
};

/// Rows of a chroma plane at the luma's size, less the middle, times 256. Where it is halved, a sample counts for the middle of its two
/// columns and for the lower of its two lines, as in libswscale.
class ChromaRows {
 public:
  ChromaRows(const AVFrame& frame, int plane, const AVPixFmtDescriptor& d)
      : data_(frame.data[plane]),
        stride_(frame.linesize[plane]),
        width_(AV_CEIL_RSHIFT(frame.width, d.log2_chroma_w)),
        halved_x_(d.log2_chroma_w == 1),
        halved_y_(d.log2_chroma_h == 1),
        blended_(static_cast<size_t>(width_) + 2),
        row_(2 * static_cast<size_t>(width_)) {}

  const int16_t* row(int y) {
    const int near = halved_y_ ? y / 2 : y;
    const int other = halved_y_ ? std::max(0, y % 2 ? near : near - 1) : near;
    int16_t* blended = blended_.data() + 1;
    blend(data_ + int64_t{near} * stride_, data_ + int64_t{other} * stride_, blended);
    if (!halved_x_) return blended;
    blended[-1] = blended[0];
    blended[width_] = blended[width_ - 1];
    spread(blended, row_.data());
    return row_.data();
  }

 private:
  void blend(const uint8_t* near, const uint8_t* other, int16_t* __restrict out) const {
    for (int x = 0; x < width_; ++x) out[x] = static_cast<int16_t>((near[x] + other[x] - 256) * 128);
  }

  void spread(const int16_t* in, int16_t* __restrict out) const {
    for (int i = 0; i < width_; ++i) {
      out[2 * i] = static_cast<int16_t>((3 * in[i] + in[i - 1]) >> 2);
      out[2 * i + 1] = static_cast<int16_t>((3 * in[i] + in[i + 1]) >> 2);
    }
  }

  const uint8_t* data_;
  int64_t stride_;
  int width_;
  bool halved_x_, halved_y_;
  std::vector<int16_t> blended_, row_;
};

uint8_t level(int sixteenths) {
  return static_cast<uint8_t>(std::clamp(sixteenths >> 4, 0, 255));
}

struct Planes {
  std::vector<uint8_t> red, green, blue;
  explicit Planes(int width) : red(static_cast<size_t>(width)), green(red.size()), blue(red.size()) {}
};

PRISMVID_VECTOR_CLONES void convert(const Matrix& m, const uint8_t* luma, const int16_t* __restrict u, const int16_t* __restrict v, int width,
             uint8_t* __restrict red, uint8_t* __restrict green, uint8_t* __restrict blue) {
  for (int x = 0; x < width; ++x) {
    const int y = high_product(static_cast<int16_t>(luma[x] << 7), m.luma) + m.luma_offset;
    red[x] = level(y + high_product(v[x], m.red_v));
    green[x] = level(y + high_product(u[x], m.green_u) + high_product(v[x], m.green_v));
    blue[x] = level(y + high_product(u[x], m.blue_u));
  }
}

PRISMVID_VECTOR_CLONES void interleave(const Planes& planes, int width, uint8_t* __restrict rgb) {
  for (int x = 0; x < width; ++x) {
    rgb[3 * x] = planes.red[static_cast<size_t>(x)];
    rgb[3 * x + 1] = planes.green[static_cast<size_t>(x)];
    rgb[3 * x + 2] = planes.blue[static_cast<size_t>(x)];
  }
}

}  // namespace

bool can_convert_rgb(const AVFrame& frame) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  constexpr uint64_t kOther = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                              AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT;
  return d != nullptr && (d->flags & kOther) == 0 && d->nb_components >= 3 && d->comp[0].depth == 8 && d->comp[1].plane == 1 &&
         d->comp[2].plane == 2 && d->comp[1].step == 1 && d->log2_chroma_w <= 1 && d->log2_chroma_h <= 1;
}

Image convert_rgb(const AVFrame& frame) {
  check(can_convert_rgb(frame), ErrorCode::kInternal, "a frame of another format was to be converted as planar 8-bit YUV");
  const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const Matrix matrix(yuv_to_rgb(color_space_of(frame), is_full_range(frame), 8));
  ChromaRows u_rows(frame, 1, d), v_rows(frame, 2, d);
  Planes planes(frame.width);
  Image result(frame.width, frame.height, 3);
  for (int y = 0; y < frame.height; ++y) {
    convert(matrix, frame.data[0] + int64_t{y} * frame.linesize[0], u_rows.row(y), v_rows.row(y), frame.width, planes.red.data(),
            planes.green.data(), planes.blue.data());
    interleave(planes, frame.width, result.row(y));
  }
  return result;
}

}  // namespace prismvid::media
