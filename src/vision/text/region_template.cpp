#include "vision/text/region_template.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
      field_.push_back(static_cast<int16_t>(gx));
      field_.push_back(static_cast<int16_t>(gy));
      magnitudes.push_back(std::abs(gx) + std::abs(gy));
    }
  const int threshold =
      std::max(kMinMagnitude, static_cast<int>(kStrokeFraction * strong_value(magnitudes)));
  const int longer = std::max(width_, height_), shorter = std::min(width_, height_);
  const int parts = std::max(1, longer / std::max(4, shorter / 4));
  part_energy_.assign(parts, 0);
  for (size_t i = 0; i < magnitudes.size(); ++i) {
    if (magnitudes[i] < threshold) continue;
    const int x = static_cast<int>(i) % width_, y = static_cast<int>(i) / width_;
    const int part = std::min(parts - 1, (width_ >= height_ ? x : y) * parts / longer);
    const int16_t gx = field_[2 * i], gy = field_[2 * i + 1];
    strokes_.push_back({static_cast<int16_t>(left_ + x), static_cast<int16_t>(top_ + y), gx, gy,
                        static_cast<int16_t>(part)});
    part_energy_[part] += gx * gx + gy * gy;
  }
  for (double energy : part_energy_) energy_ += energy;
}

Presence RegionTemplate::presence(ImageView luma, int dx, int dy) const {
  if (energy_ <= 0) return {};
  std::vector<double> part(part_energy_.size(), 0.0);
  double frame_energy = 0;
  for (const Stroke& stroke : strokes_) {
    const int x = stroke.x + dx, y = stroke.y + dy;
    if (!inside(luma, x, y)) continue;
    const int gx = horizontal(luma, x, y), gy = vertical(luma, x, y);
    part[stroke.part] += stroke.gx * gx + stroke.gy * gy;
    frame_energy += gx * gx + gy * gy;
  }
  Presence result;
  for (double projection : part) result.whole += static_cast<float>(projection / energy_);
  result.weakest = weakest_window(part);
  if (frame_energy > 0)
    result.likeness = result.whole * static_cast<float>(std::sqrt(energy_ / frame_energy));
  return result;
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
  const size_t at = 2 * (static_cast<size_t>(y - top_) * width_ + (x - left_));
  return {field_[at], field_[at + 1]};
}

bool RegionTemplate::shows_second(ImageView luma, const RegionTemplate& first,
                                  const RegionTemplate& second) {
  double sum = 0;
  for (const RegionTemplate* source : {&first, &second})
    for (const Stroke& stroke : source->strokes_) {
      if (!inside(luma, stroke.x, stroke.y)) continue;
      const Gradient a = first.gradient_at(stroke.x, stroke.y),
                     b = second.gradient_at(stroke.x, stroke.y);
      const double x = horizontal(luma, stroke.x, stroke.y) - (a.x + b.x) / 2.0;
      const double y = vertical(luma, stroke.x, stroke.y) - (a.y + b.y) / 2.0;
      sum += x * (b.x - a.x) + y * (b.y - a.y);
    }
  return sum > 0;
}

}  // namespace prismvid::vision
