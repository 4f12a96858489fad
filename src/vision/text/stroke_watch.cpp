#include "vision/text/stroke_watch.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/vector_clones.h"
#include "vision/text/shift.h"

namespace prismvid::vision {
namespace {

constexpr int kPatch = 16;                // pixels: about two letters of a subtitle
constexpr int kStrokeEnergy = 40 * 40;    // squared luma levels over two pixels
constexpr int kNewPixels = 24;            // of a patch: one letter's strokes
constexpr int kReachX = 16, kReachY = 8;  // pixels that strokes may have moved since the last look
constexpr float kSameLikeness = 0.8f;     // cosine of the gradients of a patch in two pictures
constexpr int kTextureReach = 2;          // patches around a texture that are texture too

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

/// The strokes of one patch: its strong gradients, 0 elsewhere.
struct Strokes {
  std::array<int16_t, kPatch * kPatch> x{}, y{}, mask{};
  float energy = 0;

  Strokes(ImageView luma, int left, int top) {
    for (int row = 0; row < kPatch; ++row) {
      const Rows rows(luma, top + row);
      for (int column = 0; column < kPatch; ++column) {
        const int at = left + column;
        const int gx = rows.here[at + 1] - rows.here[at - 1], gy = rows.below[at] - rows.above[at];
        if (gx * gx + gy * gy < kStrokeEnergy) continue;
        const size_t i = static_cast<size_t>(row) * kPatch + static_cast<size_t>(column);
        x[i] = static_cast<int16_t>(gx), y[i] = static_cast<int16_t>(gy), mask[i] = -1;
        energy += static_cast<float>(gx * gx + gy * gy);
      }
    }
  }
};

struct Sums {
  int32_t fit;     // product of the gradients
  int32_t energy;  // of the picture, on strokes
};

PRISMVID_VECTOR_CLONES Sums compare(const Strokes& strokes, ImageView luma, int left, int top) {
  Sums sums{};
  for (int row = 0; row < kPatch; ++row) {
    const uint8_t *above = luma.row(top + row - 1) + left, *here = luma.row(top + row) + left, *below = luma.row(top + row + 1) + left;
    const int16_t *x = &strokes.x[row * kPatch], *y = &strokes.y[row * kPatch], *mask = &strokes.mask[row * kPatch];
    for (int i = 0; i < kPatch; ++i) {
      const auto gx = static_cast<int16_t>((here[i + 1] - here[i - 1]) & mask[i]);
      const auto gy = static_cast<int16_t>((below[i] - above[i]) & mask[i]);
      sums.fit += x[i] * gx + y[i] * gy;
      sums.energy += gx * gx + gy * gy;
    }
  }
  return sums;
}

/// Looks in another picture for what stands in a patch.
class PatchSearch {
 public:
  PatchSearch(ImageView now, ImageView known, int left, int top)
      : strokes_(now, left, top), known_(known), left_(left), top_(top) {}

  bool fits(Shift shift) const {
    const int left = left_ + shift.x, top = top_ + shift.y;
    if (left < 1 || top < 1 || left + kPatch >= known_.width || top + kPatch >= known_.height) return false;
    const Sums sums = compare(strokes_, known_, left, top);
    const auto fit = static_cast<float>(sums.fit), energy = static_cast<float>(sums.energy);
    return fit > 0 && fit * fit >= kSameLikeness * kSameLikeness * energy * strokes_.energy && 2 * fit >= strokes_.energy;
  }

  bool finds(Shift& shift) const {
    for (shift.y = -kReachY; shift.y <= kReachY; ++shift.y)
      for (shift.x = -kReachX; shift.x <= kReachX; ++shift.x)
        if (fits(shift)) return true;
    return false;
  }

 private:
  Strokes strokes_;
  ImageView known_;
  int left_, top_;
};

}  // namespace

/// The last patch of a row or column overlaps the one before it where they do not fill the picture.
int StrokeWatch::left_of(Place patch) const { return std::min(1 + patch.column * kPatch, size_.width - 1 - kPatch); }
int StrokeWatch::top_of(Place patch) const { return std::min(1 + patch.row * kPatch, size_.height - 1 - kPatch); }

bool StrokeWatch::sees_new_strokes(ImageView known, ImageView earlier, ImageView now) {
  seen_.clear();
  if (known.size() != now.size() || earlier.size() != now.size() || std::min(now.width, now.height) < kPatch + 2) return true;
  if (now.size() != size_) {
    size_ = now.size();
    columns_ = (size_.width - 2 + kPatch - 1) / kPatch;
    rows_ = (size_.height - 2 + kPatch - 1) / kPatch;
    textures_.clear();
  }
  find_patches(known, earlier, now);
  // Neighbours move alike: the shift of the patch before is tried first.
  Shift shift;
  const auto has_moved = [&](Place patch) {
    const PatchSearch search(now, known, left_of(patch), top_of(patch));
    return search.fits(shift) || search.finds(shift);
  };
  if (!std::all_of(seen_.begin(), seen_.end(), has_moved)) return true;
  seen_.clear();
  return false;
}

void StrokeWatch::find_patches(ImageView known, ImageView earlier, ImageView now) {
  std::vector<int32_t> counts(static_cast<size_t>(size_.width));
  for (Place patch{0, 0}; patch.row < rows_; ++patch.row) {
    std::fill(counts.begin(), counts.end(), 0);
    const int top = top_of(patch);
    for (int y = top; y < top + kPatch; ++y)
      count_new_strokes({known, y}, {earlier, y}, {now, y}, size_.width, counts.data());
    for (patch.column = 0; patch.column < columns_; ++patch.column) {
      const auto first = counts.begin() + left_of(patch);
      const bool is_texture = !textures_.empty() && textures_[static_cast<size_t>(patch.row * columns_ + patch.column)];
      if (!is_texture && std::accumulate(first, first + kPatch, 0) >= kNewPixels) seen_.push_back(patch);
    }
  }
}

void StrokeWatch::learn(std::span<const Box> texts) {
  for (const Place patch : std::exchange(seen_, {})) {
    const auto left = static_cast<float>(left_of(patch)), top = static_cast<float>(top_of(patch));
    const Box box{left, top, left + kPatch, top + kPatch};
    const auto touches = [&](const Box& text) {
      const Box shared = intersection(text, box);
      return shared.width() > 0 && shared.height() > 0;
    };
    if (std::none_of(texts.begin(), texts.end(), touches)) mark_texture(patch);
  }
}

void StrokeWatch::mark_texture(Place patch) {
  textures_.resize(static_cast<size_t>(rows_ * columns_), 0);
  for (int row = std::max(0, patch.row - kTextureReach); row <= std::min(rows_ - 1, patch.row + kTextureReach); ++row)
    for (int column = std::max(0, patch.column - kTextureReach); column <= std::min(columns_ - 1, patch.column + kTextureReach); ++column)
      textures_[static_cast<size_t>(row * columns_ + column)] = 1;
}

}  // namespace prismvid::vision
