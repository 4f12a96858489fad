#include "vision/labels/bicubic.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace prismvid::vision {
namespace {

constexpr int kFractionBits = 22;
constexpr double kSupport = 2.0;

/// Keys' cubic convolution kernel, a = -0.5.
double kernel(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// The source pixels of one target pixel and their weights in fixed point.
struct Taps {
  int first = 0;
  std::vector<int> weights;
};

Taps taps_of(int target, int source_side, int target_side) {
  const double scale = static_cast<double>(source_side) / target_side;
  const double widening = std::max(scale, 1.0);
  const double centre = (target + 0.5) * scale;
  const double reach = kSupport * widening;
  Taps taps;
  taps.first = std::max(0, static_cast<int>(centre - reach + 0.5));
  const int end = std::min(source_side, static_cast<int>(centre + reach + 0.5));
  std::vector<double> weights;
  double sum = 0;
  for (int source = taps.first; source < end; ++source) {
    weights.push_back(kernel((source - centre + 0.5) / widening));
    sum += weights.back();
  }
  for (const double weight : weights)
    taps.weights.push_back(static_cast<int>(std::round(weight / sum * (1 << kFractionBits))));
  return taps;
}

std::vector<Taps> taps_of_range(int start, int count, int source_side, int target_side) {
  std::vector<Taps> taps;
  for (int i = start; i < start + count; ++i) taps.push_back(taps_of(i, source_side, target_side));
  return taps;
}

/// Weighted sum of values `step` bytes apart, rounded to 8 bits.
uint8_t weighted(const uint8_t* values, std::ptrdiff_t step, const std::vector<int>& weights) {
  int sum = 1 << (kFractionBits - 1);
  for (const int weight : weights) {
    sum += *values * weight;
    values += step;
  }
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

}  // namespace

Image resize_bicubic(ImageView picture, Size size, const PixelArea& area) {
  const bool inside = area.x >= 0 && area.y >= 0 && area.width > 0 && area.height > 0 &&
                      area.x + area.width <= size.width && area.y + area.height <= size.height;
  check(inside && !picture.empty(), ErrorCode::kInternal, "resize to ", size.width, "x",
        size.height, " got a part or a picture that does not fit");
  const auto columns = taps_of_range(area.x, area.width, picture.width, size.width);
  const auto rows = taps_of_range(area.y, area.height, picture.height, size.height);
  const int first_row = rows.front().first;
  const int last_row = rows.back().first + static_cast<int>(rows.back().weights.size());
  const int channels = picture.channels;
  Image narrowed(area.width, last_row - first_row, channels);
  for (int y = first_row; y < last_row; ++y)
    for (int x = 0; x < area.width; ++x)
      for (int c = 0; c < channels; ++c)
        narrowed.row(y - first_row)[x * channels + c] = weighted(
            picture.row(y) + columns[x].first * channels + c, channels, columns[x].weights);
  Image result(area.width, area.height, channels);
  for (int y = 0; y < area.height; ++y)
    for (int i = 0; i < area.width * channels; ++i)
      result.row(y)[i] =
          weighted(narrowed.row(rows[y].first - first_row) + i, narrowed.stride(), rows[y].weights);
  return result;
}

}  // namespace prismvid::vision
