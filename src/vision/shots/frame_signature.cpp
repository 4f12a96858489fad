#include "vision/shots/frame_signature.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace prismvid::vision {
namespace {

constexpr int kWidth = FrameSignature::kWidth;
constexpr int kHeight = FrameSignature::kHeight;
constexpr int kBlockWidth = 16;
constexpr int kBlockHeight = 12;
constexpr int kBlockColumns = 4;
constexpr int kBlockRows = 3;
constexpr int kBlockPixels = kBlockWidth * kBlockHeight;
constexpr int kSearchX = 8;
constexpr int kSearchY = 5;
constexpr int16_t kBarLevel = 20;    // luma of the bars around a picture of another shape
constexpr float kFlatVariance = 30;  // below it a block has no structure of its own
constexpr float kOtherColour = 24;   // levels between flat blocks that are surely different

struct BlockMoments {
  float sum;
  float variance;  // times kBlockPixels
};

int32_t box_sum(const std::array<int32_t, (kWidth + 1) * (kHeight + 1)>& integral, int x, int y) {
  const int32_t* top = integral.data() + y * (kWidth + 1) + x;
  const int32_t* bottom = top + kBlockHeight * (kWidth + 1);
  return bottom[kBlockWidth] - bottom[0] - top[kBlockWidth] + top[0];
}

BlockMoments moments(const FrameSignature& s, int x, int y) {
  const auto sum = static_cast<float>(box_sum(s.sum, x, y));
  const auto squares = static_cast<float>(box_sum(s.squares, x, y));
  return {sum, std::max(0.0f, squares - sum * sum / kBlockPixels)};
}

int32_t product(const int16_t* a, const int16_t* b) {
  int32_t total = 0;
  for (int y = 0; y < kBlockHeight; ++y, a += kWidth, b += kWidth)
    for (int x = 0; x < kBlockWidth; ++x) total += static_cast<int32_t>(a[x]) * b[x];
  return total;
}

struct BlockMatch {
  float correlation = 0;
  float variance = 0;  // of the matched block
};

/// Normalised correlations of one block of `a` with the blocks of `b`.
class BlockSearch {
 public:
  BlockSearch(const FrameSignature& a, const FrameSignature& b, const PixelArea& area, int x, int y)
      : block_(a.luma.data() + y * kWidth + x),
        own_(moments(a, x, y)),
        b_(b),
        area_(area),
        x_(x),
        y_(y) {}

  const BlockMoments& own() const { return own_; }

  /// The best match within the search range: on every other position, then around the best of
  /// these. The pictures are smoothed, so that a neighbour of the best position is nearly as good.
  BlockMatch best_match() const {
    Found best;
    for (int dy = -kSearchY / 2 * 2; dy <= kSearchY; dy += 2)
      for (int dx = -kSearchX; dx <= kSearchX; dx += 2) try_shift(dx, dy, best);
    const int near_x = best.dx;
    const int near_y = best.dy;
    for (int dy = near_y - 1; dy <= near_y + 1; ++dy)
      for (int dx = near_x - 1; dx <= near_x + 1; ++dx)
        if (dx != near_x || dy != near_y) try_shift(dx, dy, best);
    return best.match;
  }

 private:
  struct Found {
    BlockMatch match{-1, 0};
    int dx = 0;
    int dy = 0;
  };

  void try_shift(int dx, int dy, Found& best) const {
    const int u = x_ + dx;
    const int v = y_ + dy;
    if (u < area_.x0 || v < area_.y0 || u > area_.x1 - kBlockWidth || v > area_.y1 - kBlockHeight)
      return;
    constexpr float kRegular = kBlockPixels * kFlatVariance * 0.25f;
    const BlockMoments other = moments(b_, u, v);
    const auto dot = static_cast<float>(product(block_, b_.luma.data() + v * kWidth + u));
    const float covariance = dot - own_.sum * other.sum / kBlockPixels;
    const float correlation =
        (covariance + kRegular) / (std::sqrt(own_.variance * other.variance) + kRegular);
    if (correlation > best.match.correlation) best = {{correlation, other.variance}, dx, dy};
  }

  const int16_t* block_;
  BlockMoments own_;
  const FrameSignature& b_;
  PixelArea area_;
  int x_;
  int y_;
};

PixelArea united(const PixelArea& a, const PixelArea& b) {
  return {std::min(a.x0, b.x0), std::min(a.y0, b.y0), std::max(a.x1, b.x1), std::max(a.y1, b.y1)};
}

/// The picture without black bars at its sides, one block large at least; the smoothed edge of a
/// bar counts as bar.
PixelArea active_area(const FrameSignature::Luma& luma) {
  PixelArea area{kWidth, kHeight, 0, 0};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      if (luma[static_cast<size_t>(y * kWidth + x)] <= kBarLevel) continue;
      area = united(area, {x, y, x + 1, y + 1});
    }
  if (area.x0 > 0) ++area.x0;
  if (area.y0 > 0) ++area.y0;
  if (area.x1 < kWidth) --area.x1;
  if (area.y1 < kHeight) --area.y1;
  const bool bars = area.x1 - area.x0 >= kWidth / 2 && area.y1 - area.y0 >= kHeight / 2;
  return bars ? area : PixelArea{0, 0, kWidth, kHeight};
}

/// `gain` undoes a change of light between the two.
float block_colour_distance(const FrameSignature& a, const FrameSignature& b, int x, int y,
                            float gain) {
  constexpr int kCell = FrameSignature::kCell;
  std::array<float, 3> difference{};
  for (int v = y / kCell; v < y / kCell + kBlockHeight / kCell; ++v)
    for (int u = x / kCell; u < x / kCell + kBlockWidth / kCell; ++u)
      for (size_t c = 0; c < 3; ++c) {
        const size_t i = static_cast<size_t>(v * FrameSignature::kCellColumns + u) * 3 + c;
        difference[c] += a.cells[i] * gain - b.cells[i];
      }
  constexpr float kCells = (kBlockWidth / kCell) * (kBlockHeight / kCell);
  float largest = 0;
  for (const float d : difference) largest = std::max(largest, std::abs(d) / kCells);
  return std::min(1.0f, largest / kOtherColour);
}

void smooth(const std::array<uint8_t, kWidth * kHeight>& in, FrameSignature::Luma& out) {
  for (int y = 0; y < kHeight; ++y) {
    const uint8_t* above = in.data() + std::max(0, y - 1) * kWidth;
    const uint8_t* here = in.data() + y * kWidth;
    const uint8_t* below = in.data() + std::min(kHeight - 1, y + 1) * kWidth;
    auto column = [&](int x) { return above[x] + 2 * here[x] + below[x]; };
    for (int x = 0; x < kWidth; ++x) {
      const int left = column(std::max(0, x - 1));
      const int right = column(std::min(kWidth - 1, x + 1));
      out[static_cast<size_t>(y * kWidth + x)] =
          static_cast<int16_t>((left + 2 * column(x) + right + 8) / 16);
    }
  }
}

void integrate(FrameSignature& s) {
  for (int y = 0; y < kHeight; ++y) {
    int32_t sum = 0;
    int32_t squares = 0;
    for (int x = 0; x < kWidth; ++x) {
      const int32_t v = s.luma[static_cast<size_t>(y * kWidth + x)];
      sum += v;
      squares += v * v;
      const auto above = static_cast<size_t>(y * (kWidth + 1) + x + 1);
      s.sum[above + kWidth + 1] = s.sum[above] + sum;
      s.squares[above + kWidth + 1] = s.squares[above] + squares;
    }
  }
}

float gradient_energy(const FrameSignature::Luma& luma) {
  int64_t total = 0;
  for (int y = 0; y + 1 < kHeight; ++y)
    for (int x = 0; x + 1 < kWidth; ++x) {
      const int16_t* p = luma.data() + y * kWidth + x;
      const int dx = p[1] - p[0];
      const int dy = p[kWidth] - p[0];
      total += dx * dx + dy * dy;
    }
  return static_cast<float>(total) / ((kWidth - 1) * (kHeight - 1));
}

}  // namespace

FrameSignature make_signature(ImageView picture) {
  FrameSignature s;
  std::array<uint8_t, kWidth * kHeight> luma;
  for (int y = 0; y < kHeight; ++y) {
    const uint8_t* p = picture.row(y);
    for (int x = 0; x < kWidth; ++x, p += 3) {
      luma[static_cast<size_t>(y * kWidth + x)] =
          static_cast<uint8_t>((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) >> 8);
      const int cell =
          (y / FrameSignature::kCell) * FrameSignature::kCellColumns + x / FrameSignature::kCell;
      for (int c = 0; c < 3; ++c) s.cells[static_cast<size_t>(cell * 3 + c)] += p[c];
    }
  }
  for (float& value : s.cells) value /= FrameSignature::kCell * FrameSignature::kCell;
  smooth(luma, s.luma);
  integrate(s);
  s.active = active_area(s.luma);
  constexpr float kPixels = kWidth * kHeight;
  s.mean = static_cast<float>(s.sum.back()) / kPixels;
  s.deviation =
      std::sqrt(std::max(0.0f, static_cast<float>(s.squares.back()) / kPixels - s.mean * s.mean));
  s.gradient = gradient_energy(s.luma);
  return s;
}

float structure_distance(const FrameSignature& a, const FrameSignature& b) {
  const float gain = std::clamp((b.mean + 1) / (a.mean + 1), 0.4f, 2.5f);
  const PixelArea area = united(a.active, b.active);
  float total = 0;
  for (int row = 0; row < kBlockRows; ++row)
    for (int column = 0; column < kBlockColumns; ++column) {
      const int x = area.x0 + column * (area.x1 - area.x0 - kBlockWidth) / (kBlockColumns - 1);
      const int y = area.y0 + row * (area.y1 - area.y0 - kBlockHeight) / (kBlockRows - 1);
      const BlockSearch search(a, b, area, x, y);
      const BlockMatch match = search.best_match();
      const float variance =
          std::max({search.own().variance, match.variance, moments(b, x, y).variance}) /
          kBlockPixels;
      const float structured = variance / (variance + kFlatVariance);
      const float unlike = std::clamp(1 - match.correlation, 0.0f, 1.0f);
      total += structured * unlike + (1 - structured) * block_colour_distance(a, b, x, y, gain);
    }
  return total / (kBlockRows * kBlockColumns);
}

float colour_distance(const FrameSignature& a, const FrameSignature& b) {
  float total = 0;
  for (size_t i = 0; i < a.cells.size(); ++i) total += std::abs(a.cells[i] - b.cells[i]);
  return total / (255 * static_cast<float>(a.cells.size()));
}

}  // namespace prismvid::vision
