#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/image.h"
#include "core/media_time.h"
#include "vision/shots/shot_detector.h"

namespace prismvid::vision {

/// Draws frame `n` of a scene.
using Picture = std::function<Image(int n)>;

/// A smooth coloured noise picture, another one for each seed, of `size`; (x, y) moves the camera,
/// zoom enlarges.
Image textured(Size size, uint32_t seed, float x = 0, float y = 0, float zoom = 1);

/// a + (b - a) * share.
Image blend(const Image& a, const Image& b, float share);
/// Every value times `gain` plus `offset`, clipped.
Image graded(const Image& a, float gain, float offset);
Image plain(Size size, uint8_t r, uint8_t g, uint8_t b);

/// A clip in memory with a time for each frame.
class Clip {
 public:
  explicit Clip(Rational rate = {25, 1}) : rate_(rate) {}

  void append(int frames, const Picture& picture);
  /// `frames` frames that go from `from` to `to`; `to` goes on with its frame `frames`.
  void dissolve(int frames, const Picture& from, const Picture& to);
  int size() const { return static_cast<int>(frames_.size()); }
  Image& operator[](int n) { return frames_[static_cast<size_t>(n)]; }
  int64_t pts_us(int n) const {
    return static_cast<int64_t>(n) * 1'000'000 * rate_.denominator / rate_.numerator;
  }

  /// All shots that the detector finds; checks on the way what the interface promises.
  std::vector<SettledShot> detect(ShotDetector& detector) const;

 private:
  Rational rate_;
  std::vector<Image> frames_;
};

/// First frames of all shots but the first one.
std::vector<int64_t> boundaries(const std::vector<SettledShot>& shots);

}  // namespace prismvid::vision
