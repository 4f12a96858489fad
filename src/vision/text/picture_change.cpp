#include "vision/text/picture_change.h"

#include <algorithm>
#include <cstdlib>

namespace prismvid::vision {
namespace {

constexpr int kBlock = 8;
constexpr int kNoise = 5;  // mean difference of a block, luma levels

int block_difference(ImageView a, ImageView b, int x0, int y0) {
  int sum = 0;
  for (int y = y0; y < y0 + kBlock; ++y)
    for (int x = x0; x < x0 + kBlock; ++x) sum += std::abs(a.row(y)[x] - b.row(y)[x]);
  return sum;
}

}  // namespace

float changed_part(ImageView a, ImageView b) {
  if (a.size() != b.size()) return 1;
  int blocks = 0, changed = 0;
  for (int y = 0; y + kBlock <= a.height; y += kBlock)
    for (int x = 0; x + kBlock <= a.width; x += kBlock) {
      ++blocks;
      changed += block_difference(a, b, x, y) > kNoise * kBlock * kBlock;
    }
  return blocks == 0 ? 1 : changed / static_cast<float>(blocks);
}

}  // namespace prismvid::vision
