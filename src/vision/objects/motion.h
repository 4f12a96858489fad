#pragma once

#include <array>

#include "core/geometry.h"

namespace prismvid::vision {

/// Where a box is and where it goes: a constant-velocity Kalman filter over centre x, centre y,
/// width / height and height, as in SORT and ByteTrack, but in seconds, so that samples may come at
/// any distance. The four components do not influence each other and are kept as four filters of
/// (value, velocity).
class BoxMotion {
 public:
  explicit BoxMotion(const Box& box);

  /// Moves the estimate on; predicting twice by half the time gives the same as once by the whole.
  void predict(double seconds);
  void correct(const Box& box);
  Box box() const;
  /// While an object is out of sight its size is not extrapolated.
  void stop_growth();

 private:
  struct Component {
    double value = 0;
    double velocity = 0;
    double value_variance = 0;
    double covariance = 0;
    double velocity_variance = 0;

    void predict(double seconds, double value_noise, double velocity_noise);
    void correct(double measured, double noise);
  };

  Component x_, y_, aspect_, height_;
};

}  // namespace prismvid::vision
