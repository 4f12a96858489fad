// Stands in for apple_vision.mm where there is no Vision framework.
#include "core/error.h"
#include "vision/apple/apple_vision.h"

namespace prismvid::vision {
namespace {

[[noreturn]] void fail_unavailable() {
  fail(ErrorCode::kUnavailable,
       "Apple's Vision framework is part of macOS and not there on this system: leave --vision at "
       "'networks'");
}

}  // namespace

bool has_apple_vision() { return false; }
std::string apple_vision_backend() { fail_unavailable(); }
std::unique_ptr<TextEngine> make_apple_text_engine() { fail_unavailable(); }
std::unique_ptr<FaceDetector> make_apple_face_detector() { fail_unavailable(); }
std::function<std::vector<LabelScore>(ImageView)> make_apple_labeller() { fail_unavailable(); }

}  // namespace prismvid::vision
