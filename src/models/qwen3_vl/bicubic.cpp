#include "models/qwen3_vl/bicubic.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/image_copy.h"
#include "core/vector_clones.h"

namespace prismvid::qwen3_vl {
namespace {

constexpr int kPrecision = 32 - 8 - 2;  // bits behind the point, as Pillow's Resample.c

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

constexpr int kLanes = 8;  // of 32 bits, in the vectors that loops become

// For each output sample: the first input sample, how many, and their fixed-point weights.
struct Taps {
  int width = 0;  // weights reserved for each output, whole vectors; those behind the last are 0
  std::vector<int> first;
  std::vector<int> count;
  std::vector<int32_t> weights;
};

Taps make_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out, filter_scale = std::max(scale, 1.0);
  const double support = 2.0 * filter_scale;
  Taps taps;
  taps.width = (static_cast<int>(std::ceil(support)) * 2 + kLanes) / kLanes * kLanes;
  taps.first.resize(out);
  taps.count.resize(out);
  taps.weights.resize(static_cast<size_t>(out) * taps.width);
  std::vector<double> weights(taps.width);
  for (int i = 0; i < out; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int count = std::min(in, static_cast<int>(center + support + 0.5)) - first;
    double sum = 0;
    for (int k = 0; k < count; ++k)
      sum += weights[k] = bicubic((k + first - center + 0.5) * (1.0 / filter_scale));
    for (int k = 0; k < count; ++k) {
      const double fixed = weights[k] / sum * (1 << kPrecision);
      taps.weights[static_cast<size_t>(i) * taps.width + k] =
          static_cast<int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    taps.first[i] = first;
    taps.count[i] = count;
  }
  return taps;
}

uint8_t clip(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
}

constexpr int32_t kHalf = 1 << (kPrecision - 1);

// The channels of a row one behind the other, `pitch` numbers each, so that neighbours are too.
PRISMVID_VECTOR_CLONES void split(const uint8_t* __restrict rgb, int width, int pitch,
                                  int32_t* __restrict planes) {
  for (int x = 0; x < width; ++x)
    for (int c = 0; c < 3; ++c) planes[c * pitch + x] = rgb[3 * x + c];
}

// One channel of one row.
PRISMVID_VECTOR_CLONES void resize_row(const int32_t* __restrict in, const Taps& taps, int width,
                                       uint8_t* __restrict out) {
  const int32_t* weights = taps.weights.data();
  for (int x = 0; x < width; ++x, weights += taps.width) {
    const int32_t* samples = in + taps.first[static_cast<size_t>(x)];
    int32_t sums[kLanes] = {};
    for (int k = 0; k < taps.width; k += kLanes)
      for (int lane = 0; lane < kLanes; ++lane) sums[lane] += samples[k + lane] * weights[k + lane];
    int32_t sum = kHalf;
    for (const int32_t part : sums) sum += part;
    out[3 * x] = clip(sum);
  }
}

Image resize_rows(ImageView image, int width) {
  const Taps taps = make_taps(image.width, width);
  Image result(width, image.height, 3);
  const int pitch = image.width + taps.width;  // vectors may reach behind the last sample
  std::vector<int32_t> planes(3 * static_cast<size_t>(pitch));
  for (int y = 0; y < image.height; ++y) {
    split(image.row(y), image.width, pitch, planes.data());
    for (int c = 0; c < 3; ++c)
      resize_row(planes.data() + static_cast<std::ptrdiff_t>(c) * pitch, taps, width,
                 result.row(y) + c);
  }
  return result;
}

PRISMVID_VECTOR_CLONES void add_row(const uint8_t* __restrict in, int32_t weight, int bytes,
                                    int32_t* __restrict sums) {
  for (int i = 0; i < bytes; ++i) sums[i] += in[i] * weight;
}

PRISMVID_VECTOR_CLONES void clip_row(const int32_t* __restrict sums, int bytes,
                                     uint8_t* __restrict out) {
  for (int i = 0; i < bytes; ++i) out[i] = clip(sums[i]);
}

Image resize_columns(ImageView image, int height) {
  const Taps taps = make_taps(image.height, height);
  Image result(image.width, height, 3);
  const int bytes = image.width * 3;
  std::vector<int32_t> sums(bytes);
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < taps.count[y]; ++k)
      add_row(image.row(taps.first[y] + k), taps.weights[static_cast<size_t>(y) * taps.width + k],
              bytes, sums.data());
    clip_row(sums.data(), bytes, result.row(y));
  }
  return result;
}

}  // namespace

Image resize_bicubic(ImageView image, Size size) {
  check(image.channels == 3 && !image.empty() && size.width > 0 && size.height > 0,
        ErrorCode::kInvalidArgument, "resize needs an RGB picture and a size, got ", image.channels,
        " channels, ", image.width, " by ", image.height, " to ", size.width, " by ", size.height);
  if (image.width == size.width && image.height == size.height) return copy_of(image);
  if (image.width == size.width) return resize_columns(image, size.height);
  const Image rows = resize_rows(image, size.width);
  return rows.height() == size.height ? rows : resize_columns(rows, size.height);
}

}  // namespace prismvid::qwen3_vl
