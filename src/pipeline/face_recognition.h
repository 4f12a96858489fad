#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/image.h"
#include "store/store.h"
#include "vision/faces/face_analyzer.h"
#include "vision/faces/identity.h"
#include "vision/models/manifest.h"

namespace prismvid::pipeline {

/// A face of a picture and who of the library it is.
struct RecognisedFace {
  Box box;  // 0..1 of the picture
  float score = 0;
  std::string person_id;  // empty: nobody known, or too small or blurred to say
  std::optional<vision::IdentityMatch> match;
};

/// Looks for people of the library in single pictures; stores nothing. Not thread-safe.
class FaceRecognition {
 public:
  /// Loads the face models; throws Error(kModel) saying which is missing.
  explicit FaceRecognition(const vision::ModelRegistry& models);

  /// Best face first.
  std::vector<RecognisedFace> recognise(ImageView picture, store::Store& store);

 private:
  vision::ModelManifest model_;
  std::unique_ptr<vision::FaceDetector> detector_;
  std::unique_ptr<vision::FaceEmbedder> embedder_;
};

}  // namespace prismvid::pipeline
