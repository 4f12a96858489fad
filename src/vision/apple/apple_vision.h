#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/results.h"
#include "vision/faces/face.h"
#include "vision/text/text_engine.h"

// Apple's Vision framework as a second backend for text, faces and labels (`--vision apple`). Built
// on macOS only, and not tried on Apple hardware yet. Elsewhere each maker throws
// Error(kUnavailable).
namespace prismvid::vision {

/// Whether this build has the backend.
bool has_apple_vision();

/// Name and system version, part of cache keys: "apple-vision-14.5.0".
std::string apple_vision_backend();

/// VNRecognizeTextRequest, accurate, with the language told by itself.
std::unique_ptr<TextEngine> make_apple_text_engine();

/// VNDetectFaceLandmarksRequest: boxes with eyes, nose and mouth.
std::unique_ptr<FaceDetector> make_apple_face_detector();

/// VNClassifyImageRequest: what a picture shows, best first.
std::function<std::vector<LabelScore>(ImageView)> make_apple_labeller();

}  // namespace prismvid::vision
