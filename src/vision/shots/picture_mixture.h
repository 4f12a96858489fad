#pragma once

#include <span>
#include <vector>

#include "vision/shots/frame_signature.h"

namespace prismvid::vision {

/// Explains pictures as mixtures of two others.
class PictureMixture {
 public:
  struct Part {
    float share = 0;      // of the second picture, 0..1
    float explained = 0;  // 0..1 of the picture's variance
  };

  PictureMixture(const FrameSignature& from, const FrameSignature& to);

  /// Least squares over luma without its mean.
  Part explain(const FrameSignature& picture) const;
  /// How far the picture is from the line between the two, relative to half their distance,
  /// squared: near 0 in a dissolve, above 1 when something moves.
  float misfit(const FrameSignature& picture) const;

 private:
  const FrameSignature& from_;
  const FrameSignature& to_;
};

/// Root mean square difference to a ramp: 0 before `begin`, rising within, 1 from `end` on.
float ramp_error(std::span<const float> values, int begin, int end);

/// The ramp 0 .. 0, rising, 1 .. 1 that fits best: value i < begin is 0, value i >= end is 1.
struct Ramp {
  int begin = 0;
  int end = 0;
  float error = 1;  // root mean square
};
Ramp fit_ramp(std::span<const float> values);

}  // namespace prismvid::vision
