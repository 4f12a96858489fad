// Reads raw 64x36 RGB frames from standard input, prints begin, end and features of each candidate
// for a dissolve: the training data of train_dissolve_rating.py.
#include <cstdio>

#include "core/image.h"
#include "vision/shots/motion_compensated_shot_detector.h"

int main() {
  using namespace prismvid;
  using namespace prismvid::vision;
  MotionCompensatedShotDetector detector;
  detector.observe_dissolves([](const Boundary& boundary, const DissolveFeatures& features) {
    std::printf("%lld %lld", static_cast<long long>(boundary.range_begin),
                static_cast<long long>(boundary.range_end));
    for (const float value : features.values()) std::printf(" %.5f", static_cast<double>(value));
    std::printf("\n");
  });
  Image picture(detector.picture_size().width, detector.picture_size().height, 3);
  const auto bytes = static_cast<size_t>(picture.stride()) * picture.height();
  for (int64_t frame = 0; std::fread(picture.data(), 1, bytes, stdin) == bytes; ++frame)
    detector.add({frame, frame * 40'000, 40'000, picture});
  detector.finish();
}
