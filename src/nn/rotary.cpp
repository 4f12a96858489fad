#include "nn/rotary.h"

namespace prismvid::nn {

Rotation rotation_of(const mx::array& angles) {
  const mx::array twice = mx::concatenate({angles, angles}, -1);
  return {mx::cos(twice), mx::sin(twice)};
}

mx::array rotate_consecutive(const mx::array& x, const mx::array& periods, int offset) {
  return mx::fast::rope(x, x.shape(-1), false, std::nullopt, 1.0f, offset, periods);
}

mx::array rotate(const mx::array& x, const Rotation& rotation) {
  const mx::array wide = mx::astype(x, mx::float32);
  const auto halves = mx::split(wide, 2, -1);
  const mx::array turned = mx::concatenate({mx::negative(halves[1]), halves[0]}, -1);
  return mx::astype(wide * rotation.cos + turned * rotation.sin, x.dtype());
}

}  // namespace prismvid::nn
