#include "vision/objects/motion.h"

#include <algorithm>
#include <cmath>

namespace prismvid::vision {
namespace {

// ByteTrack's noise, given there for one frame of 30 a second and relative to the box's height, as
// rates.
constexpr double kFrameRate = 30.0;
constexpr double kPositionDeviation = 1.0 / 20.0;
constexpr double kVelocityDeviation = 1.0 / 160.0;
constexpr double kAspectDeviation = 1e-2;
constexpr double kAspectVelocityDeviation = 1e-5;
constexpr double kAspectMeasuredDeviation = 1e-1;
constexpr double kSmallest = 1e-6;

double square(double v) {
  return v * v;
}

double variance_per_second(double deviation_per_frame) {
  return square(deviation_per_frame) * kFrameRate;
}

struct Measured {
  double x, y, aspect, height;
};

Measured measure(const Box& box) {
  const double height = std::max<double>(box.height(), kSmallest);
  return {(box.x0 + box.x1) / 2.0, (box.y0 + box.y1) / 2.0, box.width() / height, height};
}

}  // namespace

void BoxMotion::Component::predict(double seconds, double value_noise, double velocity_noise) {
  const double t = seconds;
  value += velocity * t;
  value_variance += 2 * t * covariance + t * t * velocity_variance + value_noise * t +
                    velocity_noise * t * t * t / 3;
  covariance += t * velocity_variance + velocity_noise * t * t / 2;
  velocity_variance += velocity_noise * t;
}

void BoxMotion::Component::correct(double measured, double noise) {
  const double innovation = measured - value;
  const double total = value_variance + noise;
  const double gain = value_variance / total;
  const double velocity_gain = covariance / total;
  value += gain * innovation;
  velocity += velocity_gain * innovation;
  velocity_variance -= velocity_gain * covariance;
  covariance *= 1 - gain;
  value_variance *= 1 - gain;
}

BoxMotion::BoxMotion(const Box& box) {
  const Measured first = measure(box);
  auto start = [](double value, double deviation, double velocity_deviation) {
    return Component{value, 0, square(deviation), 0, square(velocity_deviation * kFrameRate)};
  };
  const double position = 2 * kPositionDeviation * first.height;
  const double velocity = 10 * kVelocityDeviation * first.height;
  x_ = start(first.x, position, velocity);
  y_ = start(first.y, position, velocity);
  height_ = start(first.height, position, velocity);
  aspect_ = start(first.aspect, kAspectDeviation, kAspectVelocityDeviation);
}

void BoxMotion::predict(double seconds) {
  const double position = variance_per_second(kPositionDeviation * height_.value);
  const double velocity = variance_per_second(kVelocityDeviation * height_.value * kFrameRate);
  x_.predict(seconds, position, velocity);
  y_.predict(seconds, position, velocity);
  aspect_.predict(seconds, variance_per_second(kAspectDeviation),
                  variance_per_second(kAspectVelocityDeviation * kFrameRate));
  height_.predict(seconds, position, velocity);
  height_.value = std::max(height_.value, kSmallest);
}

void BoxMotion::correct(const Box& box) {
  const Measured seen = measure(box);
  const double noise = square(kPositionDeviation * height_.value);
  x_.correct(seen.x, noise);
  y_.correct(seen.y, noise);
  aspect_.correct(seen.aspect, square(kAspectMeasuredDeviation));
  height_.correct(seen.height, noise);
}

void BoxMotion::stop_growth() {
  height_.velocity = 0;
  aspect_.velocity = 0;
}

Box BoxMotion::box() const {
  const double half_height = std::max(height_.value, kSmallest) / 2;
  const double half_width = std::max(aspect_.value * 2 * half_height, kSmallest) / 2;
  return {static_cast<float>(x_.value - half_width), static_cast<float>(y_.value - half_height),
          static_cast<float>(x_.value + half_width), static_cast<float>(y_.value + half_height)};
}

}  // namespace prismvid::vision
