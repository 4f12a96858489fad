#include "media/picture.h"

#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include "core/error.h"
#include "core/vector_clones.h"
#include "media/area_average.h"
#include "media/color.h"
#include "media/convert_rgb.h"

namespace prismvid::media {
namespace {

/// Limited as an integer: compilers use vectors for that, for limits of floats not.
uint8_t rounded(float value) {
  return static_cast<uint8_t>(std::clamp(static_cast<int>(value + 0.5f), 0, 255));
}

PRISMVID_VECTOR_CLONES void scale_row(const float* row, float scale, float offset, int width, uint8_t* __restrict out) {
  for (int x = 0; x < width; ++x) out[x] = rounded(row[x] * scale + offset);
}

const AVPixFmtDescriptor& descriptor_of(const AVFrame& frame) {
  const AVPixFmtDescriptor* descriptor =
      av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  check(descriptor != nullptr, ErrorCode::kInternal, "a frame has an unknown pixel format ",
        frame.format);
  return *descriptor;
}

// Formats whose luma is a plane of its own in native byte order: planar and semi-planar YUV, and
// grey.
bool has_luma_plane(const AVPixFmtDescriptor& d) {
  constexpr uint64_t kOther = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL |
                              AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                              AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BE;
  const int bytes = (d.comp[0].depth + 7) / 8;
  return (d.flags & kOther) == 0 && d.comp[0].depth >= 8 && d.comp[0].depth <= 16 &&
         d.comp[0].plane == 0 && d.comp[0].step == bytes;
}

bool has_chroma_planes(const AVPixFmtDescriptor& d) {
  return d.nb_components >= 3 && d.comp[1].plane > 0 && d.comp[2].plane > 0;
}

int plane_of(const AVPixFmtDescriptor& d, int component) {
  return d.comp[component].plane;
}

// Values of P010 and its kin sit in the upper bits; seen as 16-bit samples they need no shift.
int stored_depth(const AVPixFmtDescriptor& d) {
  return d.comp[0].depth + d.comp[0].shift;
}

template <typename Sample>
PlaneView<Sample> plane_view(const AVFrame& frame, int plane, Size size, int channels) {
  return {reinterpret_cast<const Sample*>(frame.data[plane]), size.width, size.height, channels,
          frame.linesize[plane] / static_cast<std::ptrdiff_t>(sizeof(Sample))};
}

void average_plane(const AVFrame& frame, int plane, Size size_of_plane, int channels, Size size,
                   const RowSink& sink) {
  if (stored_depth(descriptor_of(frame)) > 8) {
    area_average(plane_view<uint16_t>(frame, plane, size_of_plane, channels), size, sink);
  } else {
    area_average(plane_view<uint8_t>(frame, plane, size_of_plane, channels), size, sink);
  }
}

YuvToRgb conversion_of(const AVFrame& frame) {
  return yuv_to_rgb(color_space_of(frame), is_full_range(frame),
                    stored_depth(descriptor_of(frame)));
}

// Mean chroma of every output pixel: u first, v second, each size.width * size.height long.
struct Chroma {
  std::vector<float> u;
  std::vector<float> v;
};

Chroma averaged_chroma(const AVFrame& frame, const AVPixFmtDescriptor& d, Size size) {
  const auto count = static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
  Chroma chroma{std::vector<float>(count), std::vector<float>(count)};
  const Size plane{AV_CEIL_RSHIFT(frame.width, d.log2_chroma_w),
                   AV_CEIL_RSHIFT(frame.height, d.log2_chroma_h)};
  auto at = [&](std::vector<float>& values, int y) {
    return values.data() + static_cast<size_t>(y) * static_cast<size_t>(size.width);
  };
  if (plane_of(d, 1) != plane_of(d, 2)) {
    average_plane(frame, plane_of(d, 1), plane, 1, size,
                  [&](int y, const float* row) { std::copy_n(row, size.width, at(chroma.u, y)); });
    average_plane(frame, plane_of(d, 2), plane, 1, size,
                  [&](int y, const float* row) { std::copy_n(row, size.width, at(chroma.v, y)); });
    return chroma;
  }
  const int u = d.comp[1].offset < d.comp[2].offset ? 0 : 1;  // NV12 or NV21
  average_plane(frame, plane_of(d, 1), plane, 2, size, [&](int y, const float* row) {
    for (int x = 0; x < size.width; ++x) {
      at(chroma.u, y)[x] = row[2 * x + u];
      at(chroma.v, y)[x] = row[2 * x + 1 - u];
    }
  });
  return chroma;
}

void convert_row(const YuvToRgb& c, const float* luma, const float* u, const float* v, int width,
                 uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    const float y = luma[x] * c.luma_scale + c.luma_offset;
    const float cb = u[x] - c.chroma_middle, cr = v[x] - c.chroma_middle;
    rgb[3 * x] = rounded(y + c.red_from_v * cr);
    rgb[3 * x + 1] = rounded(y + c.green_from_u * cb + c.green_from_v * cr);
    rgb[3 * x + 2] = rounded(y + c.blue_from_u * cb);
  }
}

Image averaged_rgb(const AVFrame& frame, const AVPixFmtDescriptor& d, Size size) {
  const YuvToRgb conversion = conversion_of(frame);
  const Chroma chroma = averaged_chroma(frame, d, size);
  Image result(size.width, size.height, 3);
  average_plane(frame, 0, {frame.width, frame.height}, 1, size, [&](int y, const float* luma) {
    const size_t offset = static_cast<size_t>(y) * static_cast<size_t>(size.width);
    convert_row(conversion, luma, chroma.u.data() + offset, chroma.v.data() + offset, size.width,
                result.row(y));
  });
  return result;
}

// libswscale contexts are costly to make and not thread-safe: each thread keeps the few it used
// last.
struct SwsKey {
  Size from;
  int format = 0;
  Size to;
  AVColorSpace space = AVCOL_SPC_UNSPECIFIED;
  bool full_range = false;
  bool operator==(const SwsKey&) const = default;
};

SwsPtr make_sws(const SwsKey& key) {
  // Without scaling the plain converter would be over 10 times as fast, but its colours are off by 3 levels on average.
  const bool enlarges = key.to.width > key.from.width || key.to.height > key.from.height;
  const int scaling = (enlarges ? SWS_BICUBIC : SWS_AREA) | SWS_ACCURATE_RND;
  const int flags = key.to == key.from ? SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP : scaling;
  SwsPtr context(sws_getContext(key.from.width, key.from.height,
                                static_cast<AVPixelFormat>(key.format), key.to.width, key.to.height,
                                AV_PIX_FMT_RGB24, flags, nullptr, nullptr, nullptr));
  check(context != nullptr, ErrorCode::kInternal, "libswscale cannot convert ",
        av_get_pix_fmt_name(static_cast<AVPixelFormat>(key.format)), " ", key.from.width, "x",
        key.from.height, " to RGB ", key.to.width, "x", key.to.height);
  const int* matrix = sws_getCoefficients(key.space);
  sws_setColorspaceDetails(context.get(), matrix, key.full_range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  return context;
}

SwsContext* cached_sws(const SwsKey& key) {
  struct Entry {
    SwsKey key;
    SwsPtr context;
  };
  thread_local std::array<Entry, 4> entries;
  auto found = std::find_if(entries.begin(), entries.end(),
                            [&](const Entry& e) { return e.context && e.key == key; });
  if (found == entries.end()) {
    found = entries.end() - 1;
    *found = {key, make_sws(key)};
  }
  std::rotate(entries.begin(), found, found + 1);  // the latest first
  return entries.front().context.get();
}

// The "yuvj" formats are deprecated names; their range is given on its own.
int modern_format(int format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    default:
      return format;
  }
}

Image sws_rgb(const AVFrame& frame, Size size) {
  const SwsKey key{{frame.width, frame.height},
                   modern_format(frame.format),
                   size,
                   color_space_of(frame),
                   is_full_range(frame)};
  SwsContext* context = cached_sws(key);
  Image result(size.width, size.height, 3);
  // libswscale's vector code may write past the end of a row, so rows of other widths go through
  // padded ones.
  const bool direct = size.width % 16 == 0;
  const int padded_stride = static_cast<int>(result.stride() + 255) / 64 * 64;
  std::vector<uint8_t> padded(
      direct ? 0 : static_cast<size_t>(padded_stride) * static_cast<size_t>(size.height));
  uint8_t* planes[] = {direct ? result.data() : padded.data(), nullptr, nullptr, nullptr};
  const int strides[] = {direct ? static_cast<int>(result.stride()) : padded_stride, 0, 0, 0};
  const int rows = sws_scale(context, frame.data, frame.linesize, 0, frame.height, planes, strides);
  check(rows == size.height, ErrorCode::kInternal, "libswscale made ", rows, " of ", size.height,
        " rows");
  for (int y = 0; y < size.height && !direct; ++y)
    std::copy_n(padded.data() + int64_t{y} * padded_stride, result.stride(), result.row(y));
  return result;
}

}  // namespace

Image coded_rgb(const AVFrame& frame, Size size) {
  const AVPixFmtDescriptor& d = descriptor_of(frame);
  const bool small = size.width * 2 <= frame.width && size.height * 2 <= frame.height;
  if (small && has_luma_plane(d) && has_chroma_planes(d)) return averaged_rgb(frame, d, size);
  if (size == Size{frame.width, frame.height} && can_convert_rgb(frame)) return convert_rgb(frame);
  return sws_rgb(frame, size);
}

Image coded_luma(const AVFrame& frame, Size size) {
  const AVPixFmtDescriptor& d = descriptor_of(frame);
  Image result(size.width, size.height, 1);
  if (has_luma_plane(d)) {
    const YuvToRgb c = conversion_of(frame);
    average_plane(frame, 0, {frame.width, frame.height}, 1, size, [&](int y, const float* row) {
      scale_row(row, c.luma_scale, c.luma_offset, size.width, result.row(y));
    });
    return result;
  }
  const Image rgb = sws_rgb(frame, size);
  for (int64_t i = 0; i < int64_t{size.width} * size.height; ++i) {
    const uint8_t* p = rgb.data() + 3 * i;  // BT.709
    result.data()[i] = rounded(0.2126f * p[0] + 0.7152f * p[1] + 0.0722f * p[2]);
  }
  return result;
}

}  // namespace prismvid::media
