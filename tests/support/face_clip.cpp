#include "support/face_clip.h"

#include <string>

#include "support/synthetic_clip.h"

namespace prismvid::tests {
namespace {

// The portrait's left edge moves so fast in each visit, and its face fills this part of it.
constexpr float kPixelsPerSecond = 60;
constexpr float kTop = 20;
constexpr Box kFace{100, 70, 182, 158};

}  // namespace

Box FaceClip::face_at(int64_t pts_us) {
  const int64_t start = pts_us < kSecondStartUs ? kFirstStartUs : kSecondStartUs;
  const float left = kPixelsPerSecond * static_cast<float>(pts_us - start) * 1e-6f;
  return {(left + kFace.x0) / 640, (kTop + kFace.y0) / 360, (left + kFace.x1) / 640,
          (kTop + kFace.y1) / 360};
}

FaceClip face_clip() {
  const std::string background =
      "-f lavfi -i "
      "\"gradients=size=640x360:rate=25:duration=10:speed=0.02:seed=7:c0=0x305070:c1=0x90a060\"";
  const std::string portrait = " -loop 1 -framerate 25 -i \"" PRISMVID_PORTRAIT "\"";
  const std::string visits = "between(t,1,3.99)+between(t,6,8.99)";
  const std::string place = "x='60*(t-if(lt(t,6),1,6))':y=20:eval=frame:shortest=1";
  const std::string filter =
      " -filter_complex \"[0][1]overlay=" + place + ":enable='" + visits + "',format=yuv420p\"";
  return {synthetic_clip(
      background + portrait + filter + " -t 10 -c:v libx264 -crf 18 -preset veryfast",
      "one_face_two_visits.mp4")};
}

}  // namespace prismvid::tests
