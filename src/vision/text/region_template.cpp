#include "vision/text/region_template.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/vector_clones.h"

namespace prismvid::vision {
namespace {

constexpr int kMinMagnitude = 24;         // of a stroke's gradient, luma levels over two pixels
constexpr double kStrokeFraction = 0.35;  // of the region's strongest gradients
constexpr size_t kWindowParts = 2;  // a window is half as wide as the line is high: a character
constexpr double kWindowFraction =
    0.3;  // windows with less than this of the mean energy say nothing

bool inside(ImageView luma, int x, int y) {
  return x >= 1 && y >= 1 && x < luma.width - 1 && y < luma.height - 1;
}

int horizontal(ImageView luma, int x, int y) {
  return luma.row(y)[x + 1] - luma.row(y)[x - 1];
}
int vertical(ImageView luma, int x, int y) {
  return luma.row(y + 1)[x] - luma.row(y - 1)[x];
}

/// The value that 5 % of `values` exceed.
int strong_value(std::vector<int> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 95 / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// One row of the frame and of the region, from the first pixel that both have.
struct Row {
  const uint8_t *above, *here, *below;
  const int16_t *gradient_x, *gradient_y, *stroke;
};

/// Adds the row's pixels to the sums of their columns. Written so that compilers use vectors.
PRISMVID_VECTOR_CLONES void add_row(const Row& row, int count, int32_t* __restrict fits, int32_t* __restrict energies) {
  for (int x = 0; x < count; ++x) {
    const auto gx = static_cast<int16_t>((row.here[x + 1] - row.here[x - 1]) & row.stroke[x]);
    const auto gy = static_cast<int16_t>((row.below[x] - row.above[x]) & row.stroke[x]);
    fits[x] += row.gradient_x[x] * gx + row.gradient_y[x] * gy;
    energies[x] += gx * gx + gy * gy;
  }
}

/// The gradients of a part of a picture, row by row, 0 where it has none.
struct GradientPatch {
  int width;
  std::vector<int16_t> x, y;

  GradientPatch(ImageView luma, int left, int top, Size size)
      : width(size.width), x(static_cast<size_t>(size.width) * size.height, 0), y(x.size(), 0) {
    for (size_t i = 0; i < x.size(); ++i) {
      const int column = left + static_cast<int>(i) % width, row = top + static_cast<int>(i) / width;
      if (!inside(luma, column, row)) continue;
      x[i] = static_cast<int16_t>(horizontal(luma, column, row));
      y[i] = static_cast<int16_t>(vertical(luma, column, row));
    }
  }
};

/// Sum of a row's products. Written so that compilers use vectors.
PRISMVID_VECTOR_CLONES int32_t fit_of_row(const int16_t* a_x, const int16_t* a_y,
                                          const int16_t* b_x, const int16_t* b_y, int count) {
  int32_t sum = 0;
  for (int i = 0; i < count; ++i) sum += a_x[i] * b_x[i];
  for (int i = 0; i < count; ++i) sum += a_y[i] * b_y[i];
  return sum;
}

}  // namespace

RegionTemplate::RegionTemplate(ImageView luma, const Box& box) : box_(box) {
  left_ = std::clamp(static_cast<int>(std::floor(box.x0)), 1, std::max(1, luma.width - 1));
  top_ = std::clamp(static_cast<int>(std::floor(box.y0)), 1, std::max(1, luma.height - 1));
  width_ = std::min(static_cast<int>(std::ceil(box.x1)), luma.width - 1) - left_;
  height_ = std::min(static_cast<int>(std::ceil(box.y1)), luma.height - 1) - top_;
  if (width_ <= 0 || height_ <= 0) {
    width_ = height_ = 0;
    return;
  }
  std::vector<int> magnitudes;
  for (int y = top_; y < top_ + height_; ++y)
    for (int x = left_; x < left_ + width_; ++x) {
      const int gx = horizontal(luma, x, y), gy = vertical(luma, x, y);
      gradient_x_.push_back(static_cast<int16_t>(gx));
      gradient_y_.push_back(static_cast<int16_t>(gy));
      magnitudes.push_back(std::abs(gx) + std::abs(gy));
    }
  const int threshold =
      std::max(kMinMagnitude, static_cast<int>(kStrokeFraction * strong_value(magnitudes)));
  const int longer = std::max(width_, height_), shorter = std::min(width_, height_);
  part_energy_.assign(std::max(1, longer / std::max(4, shorter / 4)), 0);
  stroke_.assign(magnitudes.size(), 0);
  for (size_t i = 0; i < magnitudes.size(); ++i)
    if (magnitudes[i] >= threshold) stroke_[i] = -1;
  sum_energy();
}

void RegionTemplate::sum_energy() {
  std::fill(part_energy_.begin(), part_energy_.end(), 0);
  for (size_t i = 0; i < stroke_.size(); ++i) {
    if (stroke_[i] == 0) continue;
    const int x = static_cast<int>(i) % width_, y = static_cast<int>(i) / width_;
    part_energy_[part_of(x, y)] += gradient_x_[i] * gradient_x_[i] + gradient_y_[i] * gradient_y_[i];
  }
  energy_ = std::accumulate(part_energy_.begin(), part_energy_.end(), 0.0);
}

void RegionTemplate::keep_standing(ImageView luma) {
  for (size_t i = 0; i < stroke_.size(); ++i) {
    const int x = left_ + static_cast<int>(i) % width_, y = top_ + static_cast<int>(i) / width_;
    if (stroke_[i] == 0 || !inside(luma, x, y)) continue;
    const int own_x = gradient_x_[i], own_y = gradient_y_[i];
    const int fit = own_x * horizontal(luma, x, y) + own_y * vertical(luma, x, y);
    if (2 * fit < own_x * own_x + own_y * own_y) stroke_[i] = 0;
  }
  sum_energy();
}

/// The part of the line that pixel (x, y) of the region lies in.
size_t RegionTemplate::part_of(int x, int y) const {
  const auto parts = static_cast<int>(part_energy_.size());
  const int along = width_ >= height_ ? x : y;
  return static_cast<size_t>(std::min(parts - 1, along * parts / std::max(width_, height_)));
}

Presence RegionTemplate::presence(ImageView luma, int dx, int dy) const {
  if (energy_ <= 0) return {};
  const int left = left_ + dx, top = top_ + dy;
  const int x0 = std::max(0, 1 - left), x1 = std::min(width_, luma.width - 1 - left);
  const int y0 = std::max(0, 1 - top), y1 = std::min(height_, luma.height - 1 - top);
  if (x0 >= x1 || y0 >= y1) return {};
  const int count = x1 - x0;
  std::vector<int32_t> fits(count, 0), energies(count, 0);
  std::vector<double> part(part_energy_.size(), 0.0);
  double frame_energy = 0;
  auto add_sums = [&](int y) {
    for (int x = 0; x < count; ++x) {
      part[part_of(x0 + x, y)] += fits[x];
      frame_energy += energies[x];
    }
  };
  const bool across = width_ < height_;  // the line runs down: each row belongs to one part
  for (int y = y0; y < y1; ++y) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(y) * width_ + x0;
    const int row_left = left + x0;
    const Row row{luma.row(top + y - 1) + row_left, luma.row(top + y) + row_left,
                  luma.row(top + y + 1) + row_left, gradient_x_.data() + at,
                  gradient_y_.data() + at, stroke_.data() + at};
    add_row(row, count, fits.data(), energies.data());
    if (!across) continue;
    add_sums(y);
    std::fill(fits.begin(), fits.end(), 0);
    std::fill(energies.begin(), energies.end(), 0);
  }
  if (!across) add_sums(y0);
  Presence result;
  for (double projection : part) result.whole += static_cast<float>(projection / energy_);
  result.weakest = weakest_window(part);
  if (frame_energy > 0)
    result.likeness = result.whole * static_cast<float>(std::sqrt(energy_ / frame_energy));
  return result;
}

Shift RegionTemplate::best_shift(ImageView luma, Shift around, Shift reach) const {
  std::vector<int16_t> strokes_x = gradient_x_, strokes_y = gradient_y_;
  for (size_t i = 0; i < stroke_.size(); ++i) {
    strokes_x[i] &= stroke_[i];
    strokes_y[i] &= stroke_[i];
  }
  const GradientPatch patch(luma, left_ + around.x - reach.x, top_ + around.y - reach.y,
                            {width_ + 2 * reach.x, height_ + 2 * reach.y});
  Shift best = around;
  int64_t best_fit = 0;
  for (int y = 0; y <= 2 * reach.y; ++y)
    for (int x = 0; x <= 2 * reach.x; ++x) {
      int64_t fit = 0;
      for (int row = 0; row < height_; ++row) {
        const size_t own = static_cast<size_t>(row) * width_, there = static_cast<size_t>(y + row) * patch.width + x;
        fit += fit_of_row(&strokes_x[own], &strokes_y[own], &patch.x[there], &patch.y[there], width_);
      }
      if (fit > best_fit) best_fit = fit, best = {around.x + x - reach.x, around.y + y - reach.y};
    }
  return best;
}

float RegionTemplate::weakest_window(const std::vector<double>& projection) const {
  const size_t span = std::min(kWindowParts, projection.size());
  const double enough = kWindowFraction * energy_ * static_cast<double>(span) /
                        static_cast<double>(projection.size());
  float weakest = std::numeric_limits<float>::max();
  for (size_t i = 0; i + span <= projection.size(); ++i) {
    double fits = 0, energy = 0;
    for (size_t j = i; j < i + span; ++j) fits += projection[j], energy += part_energy_[j];
    if (energy >= enough) weakest = std::min(weakest, static_cast<float>(fits / energy));
  }
  return weakest;
}

RegionTemplate::Gradient RegionTemplate::gradient_at(int x, int y) const {
  if (x < left_ || y < top_ || x >= left_ + width_ || y >= top_ + height_) return {};
  const size_t at = static_cast<size_t>(y - top_) * width_ + (x - left_);
  return {gradient_x_[at], gradient_y_[at]};
}

bool RegionTemplate::shows_second(ImageView luma, const RegionTemplate& first,
                                  const RegionTemplate& second) {
  double sum = 0;
  for (const RegionTemplate* source : {&first, &second})
    for (size_t i = 0; i < source->stroke_.size(); ++i) {
      if (source->stroke_[i] == 0) continue;
      const int x = source->left_ + static_cast<int>(i) % source->width_;
      const int y = source->top_ + static_cast<int>(i) / source->width_;
      if (!inside(luma, x, y)) continue;
      const Gradient a = first.gradient_at(x, y), b = second.gradient_at(x, y);
      sum += (horizontal(luma, x, y) - (a.x + b.x) / 2.0) * (b.x - a.x) +
             (vertical(luma, x, y) - (a.y + b.y) / 2.0) * (b.y - a.y);
    }
  return sum > 0;
}

}  // namespace prismvid::vision
