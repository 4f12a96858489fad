// Reads raw RGB frames of the detector's picture size from standard input, prints the boundaries as
// JSON. usage: detect_shots_raw [--accurate MODELS_DIR] < frames.rgb
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <memory>

#include "core/error.h"
#include "core/image.h"
#include "vision/models/manifest.h"
#include "vision/shots/shot_detector.h"

namespace {

using namespace prismvid;
using namespace prismvid::vision;

constexpr int64_t kFrameUs = 40'000;  // positions are all that counts here

std::unique_ptr<ShotDetector> make_detector(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--accurate") == 0)
    return make_accurate_shot_detector(ModelRegistry({argv[2]}).require("shot_detection"));
  check(argc == 1, ErrorCode::kInvalidArgument,
        "usage: detect_shots_raw [--accurate MODELS_DIR] < frames.rgb");
  return make_shot_detector();
}

/// CPU time of the whole process: what others run beside it does not count.
double cpu_ms() {
  return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

const char* name_of(TransitionKind kind) {
  switch (kind) {
    case TransitionKind::kDissolve:
      return "dissolve";
    case TransitionKind::kFade:
      return "fade";
    default:
      return "cut";
  }
}

int run(int argc, char** argv) {
  const auto detector = make_detector(argc, argv);
  Image picture(detector->picture_size().width, detector->picture_size().height, 3);
  const auto bytes = static_cast<size_t>(picture.stride()) * picture.height();
  double busy_ms = 0;
  int64_t frames = 0;
  for (; std::fread(picture.data(), 1, bytes, stdin) == bytes; ++frames) {
    const double start = cpu_ms();
    detector->add({frames, frames * kFrameUs, kFrameUs, picture});
    busy_ms += cpu_ms() - start;
  }
  const double start = cpu_ms();
  detector->finish();
  busy_ms += cpu_ms() - start;
  std::printf("{\"frames\": %lld, \"cpu_ms_per_frame\": %.4f, \"boundaries\": [",
              static_cast<long long>(frames),
              busy_ms / static_cast<double>(frames == 0 ? 1 : frames));
  const char* separator = "";
  for (const SettledShot& settled : detector->take_settled()) {
    const Shot& shot = settled.shot;
    if (settled.index == 0) continue;
    const auto range =
        shot.transition.range.value_or(TimeRange{shot.range.start_us, shot.range.start_us});
    std::printf(
        "%s{\"frame\": %lld, \"kind\": \"%s\", \"start\": %lld, \"end\": %lld, \"confidence\": "
        "%.3f}",
        separator, static_cast<long long>(shot.frame_start), name_of(shot.transition.kind),
        static_cast<long long>(range.start_us / kFrameUs),
        static_cast<long long>(range.end_us / kFrameUs), static_cast<double>(shot.confidence));
    separator = ", ";
  }
  std::printf("]}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "detect_shots_raw: %s\n", error.what());
    return 1;
  }
}
