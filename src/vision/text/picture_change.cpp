#include "vision/text/picture_change.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/vector_clones.h"

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

constexpr int kPatch = 16;                // pixels: about two letters of a subtitle
constexpr int kStrokeEnergy = 40 * 40;    // squared luma levels over two pixels
constexpr int kNewPixels = 24;            // of a patch: one letter's strokes

/// Three rows of a luma picture, for the gradients of the middle one.
struct Rows {
  const uint8_t *above, *here, *below;
  Rows(ImageView luma, int y) : above(luma.row(y - 1)), here(luma.row(y)), below(luma.row(y + 1)) {}
};

/// Adds to `counts` the pixels of a row that stand and are new. Written so that compilers use vectors.
PRISMVID_VECTOR_CLONES void count_new_strokes(const Rows& known, const Rows& earlier, const Rows& now, int width, int32_t* __restrict counts) {
  for (int x = 1; x < width - 1; ++x) {
    const int ax = known.here[x + 1] - known.here[x - 1], ay = known.below[x] - known.above[x];
    const int bx = earlier.here[x + 1] - earlier.here[x - 1], by = earlier.below[x] - earlier.above[x];
    const int cx = now.here[x + 1] - now.here[x - 1], cy = now.below[x] - now.above[x];
    const int energy_b = bx * bx + by * by, energy_c = cx * cx + cy * cy;
    const int strong = (energy_b >= kStrokeEnergy) & (energy_c >= kStrokeEnergy);
    const int stands = 2 * (bx * cx + by * cy) >= std::max(energy_b, energy_c);
    const int is_new = 2 * (ax * cx + ay * cy) < energy_c;
    counts[x] += strong & stands & is_new;
  }
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

bool has_new_strokes(ImageView known, ImageView earlier, ImageView now) {
  if (known.size() != now.size() || earlier.size() != now.size()) return true;
  std::vector<int32_t> counts(static_cast<size_t>(now.width));
  for (int top = 1; top < now.height - 1; top += kPatch) {
    std::fill(counts.begin(), counts.end(), 0);
    for (int y = top; y < std::min(top + kPatch, now.height - 1); ++y)
      count_new_strokes({known, y}, {earlier, y}, {now, y}, now.width, counts.data());
    for (int left = 0; left < now.width; left += kPatch) {
      int pixels = 0;
      for (int x = left; x < std::min(left + kPatch, now.width); ++x) pixels += counts[x];
      if (pixels >= kNewPixels) return true;
    }
  }
  return false;
}

}  // namespace prismvid::vision
