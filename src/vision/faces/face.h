#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/image.h"

namespace prismvid::vision {

/// Places in the picture, in pixels; right and left are the person's own.
struct FaceLandmarks {
  Point right_eye;
  Point left_eye;
  Point nose;
  std::optional<Point> right_mouth = std::nullopt;
  std::optional<Point> left_mouth = std::nullopt;
};

struct DetectedFace {
  Box box;                                 // pixels of the picture
  float score = 0;                         // 0..1; from 0.5 on it is more likely a face than not
  std::optional<FaceLandmarks> landmarks;  // where the detector gives them
};

/// Turned, scaled and cut out so that eyes and nose lie where the embedder wants them.
struct AlignedFace {
  Image chip;
  FaceLandmarks landmarks;
};

/// Finds faces in one RGB picture. Not thread-safe. Behind it stand dlib's CNN and YuNet; Apple's
/// Vision can follow.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;
  /// Best first.
  virtual std::vector<DetectedFace> detect(ImageView picture) = 0;
  /// Only faces about as large as one of `places` and near it need be found: cheaper where the
  /// detector can make it so.
  virtual std::vector<DetectedFace> detect_near(ImageView picture, std::span<const Box> /*places*/) {
    return detect(picture);
  }
};

/// Turns a face into a vector that is close for the same person. Not thread-safe.
class FaceEmbedder {
 public:
  virtual ~FaceEmbedder() = default;
  virtual AlignedFace align(ImageView picture, const DetectedFace& face) = 0;
  /// The model's own vector for a chip from align(), not normalised.
  virtual std::vector<float> embed(ImageView chip) = 0;
  /// Cosine from which two vectors count as one person, strict enough for an archive of many
  /// people.
  virtual float same_person_cosine() const = 0;
};

}  // namespace prismvid::vision
