#pragma once

#include "vision/faces/face.h"

namespace prismvid::vision {

/// What makes a face fit to be recognised, each 0..1.
struct FaceQuality {
  float size = 0;       // 0 at 40 pixels of the picture, 1 from 160 on
  float sharpness = 0;  // fine detail in the aligned chip
  float pose = 0;       // 1 from the front, 0 in profile
  float score = 0;      // the detector's

  /// Geometric mean: one bad part spoils it.
  float overall() const;

  /// Whether the face tells enough to decide who it is: neither tiny, blurred nor in profile.
  bool recognisable() const;
};

FaceQuality assess_face(const DetectedFace& face, const AlignedFace& aligned);

}  // namespace prismvid::vision
