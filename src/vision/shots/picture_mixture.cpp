#include "vision/shots/picture_mixture.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace prismvid::vision {
namespace {

/// Covariance over all pixels, times their number.
double covariance(const FrameSignature& a, const FrameSignature& b) {
  int64_t dot = 0;
  for (int y = 0; y < FrameSignature::kHeight; ++y) {
    int32_t row = 0;
    const int16_t* p = a.luma.data() + y * FrameSignature::kWidth;
    const int16_t* q = b.luma.data() + y * FrameSignature::kWidth;
    for (int x = 0; x < FrameSignature::kWidth; ++x) row += static_cast<int32_t>(p[x]) * q[x];
    dot += row;
  }
  const double pixels = FrameSignature::kWidth * FrameSignature::kHeight;
  return static_cast<double>(dot) - static_cast<double>(a.mean) * b.mean * pixels;
}

}  // namespace

PictureMixture::PictureMixture(const FrameSignature& from, const FrameSignature& to)
    : from_(from), to_(to) {}

PictureMixture::Part PictureMixture::explain(const FrameSignature& picture) const {
  const double ff = covariance(from_, from_) + 1;
  const double tt = covariance(to_, to_) + 1;
  const double ft = covariance(from_, to_);
  const double pf = covariance(picture, from_);
  const double pt = covariance(picture, to_);
  const double determinant = std::max(ff * tt - ft * ft, 0.02 * ff * tt);
  const double a = std::max(0.0, (pf * tt - pt * ft) / determinant);
  const double b = std::max(0.0, (pt * ff - pf * ft) / determinant);
  const double whole = covariance(picture, picture) + 1;
  const double rest = whole - 2 * (a * pf + b * pt) + a * a * ff + 2 * a * b * ft + b * b * tt;
  Part part;
  part.share = a + b > 1e-6 ? static_cast<float>(b / (a + b)) : 0.5f;
  part.explained = static_cast<float>(std::clamp(1 - rest / whole, 0.0, 1.0));
  return part;
}

float PictureMixture::misfit(const FrameSignature& picture) const {
  const double ff = covariance(from_, from_);
  const double tt = covariance(to_, to_);
  const double ft = covariance(from_, to_);
  const double apart = ff + tt - 2 * ft;  // |to - from|^2
  if (apart < 1) return 1;
  const double along = covariance(picture, to_) - covariance(picture, from_) - ft + ff;
  const double share = std::clamp(along / apart, 0.0, 1.0);
  const double distance = covariance(picture, picture) + ff - 2 * covariance(picture, from_) -
                          2 * share * along + share * share * apart;
  return static_cast<float>(std::max(0.0, distance) / (apart / 4));
}

float ramp_error(std::span<const float> values, int begin, int end) {
  const int count = static_cast<int>(values.size());
  float total = 0;
  for (int i = 0; i < count; ++i) {
    const float ramp =
        i < begin  ? 0.0f
        : i >= end ? 1.0f
                   : static_cast<float>(i - begin + 1) / static_cast<float>(end - begin + 1);
    const float difference = values[static_cast<size_t>(i)] - ramp;
    total += difference * difference;
  }
  return std::sqrt(total / static_cast<float>(count));
}

Ramp fit_ramp(std::span<const float> values) {
  const int count = static_cast<int>(values.size());
  // Sums over the first i values: of v^2, (v - 1)^2, v and i * v. They give the error of any ramp
  // at once.
  std::vector<std::array<double, 4>> sums(values.size() + 1);
  for (size_t i = 0; i < values.size(); ++i) {
    const double v = values[i];
    const std::array<double, 4> add{v * v, (v - 1) * (v - 1), v, static_cast<double>(i) * v};
    for (size_t k = 0; k < add.size(); ++k) sums[i + 1][k] = sums[i][k] + add[k];
  }
  Ramp best;
  double least = count;
  for (int begin = 0; begin < count; ++begin)
    for (int end = begin; end <= count; ++end) {
      const auto& at_begin = sums[static_cast<size_t>(begin)];
      const auto& at_end = sums[static_cast<size_t>(end)];
      const double length = end - begin;
      const double slope = 1 / (length + 1);
      // The ramp is slope * (i - begin + 1).
      const double squares = slope * slope * length * (length + 1) * (2 * length + 1) / 6;
      const double products =
          slope * (at_end[3] - at_begin[3] - (begin - 1) * (at_end[2] - at_begin[2]));
      const double total = at_end[0] - 2 * products + squares + sums.back()[1] - at_end[1];
      if (total >= least) continue;
      least = total;
      best = {begin, end, 0};
    }
  best.error = count == 0 ? 1.0f : ramp_error(values, best.begin, best.end);
  return best;
}

}  // namespace prismvid::vision
