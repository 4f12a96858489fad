#include "models/qwen3_vl/frame_size.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace prismvid::qwen3_vl {
namespace {

int multiple(double tokens, int factor) {
  return static_cast<int>(tokens) * factor;
}

void check_shape(Size size) {
  check(size.width > 0 && size.height > 0, ErrorCode::kInvalidArgument, "a picture of ", size.width,
        " by ", size.height, " pixels is empty");
  const int longer = std::max(size.width, size.height), shorter = std::min(size.width, size.height);
  check(longer <= 200.0 * shorter, ErrorCode::kInvalidArgument, "a picture of ", size.width, " by ",
        size.height, " pixels is too narrow: at most 200 to 1 is understood");
}

Size rounded(Size size, int factor) {
  return {multiple(round_half_even(static_cast<double>(size.width) / factor), factor),
          multiple(round_half_even(static_cast<double>(size.height) / factor), factor)};
}

Size shrunk(Size size, int factor, double beta) {
  const auto side = [&](int s) {
    return std::max(factor, multiple(std::floor(s / beta / factor), factor));
  };
  return {side(size.width), side(size.height)};
}

Size grown(Size size, int factor, double beta) {
  const auto side = [&](int s) { return multiple(std::ceil(s * beta / factor), factor); };
  return {side(size.width), side(size.height)};
}

double area(Size size) {
  return static_cast<double>(size.width) * size.height;
}

}  // namespace

int64_t round_half_even(double value) {
  return static_cast<int64_t>(std::nearbyint(value));
}

Size image_size(Size size, int factor, int64_t min_pixels, int64_t max_pixels) {
  check_shape(size);
  const Size nearest = rounded(size, factor);
  if (area(nearest) > static_cast<double>(max_pixels))
    return shrunk(size, factor, std::sqrt(area(size) / static_cast<double>(max_pixels)));
  if (area(nearest) < static_cast<double>(min_pixels))
    return grown(size, factor, std::sqrt(static_cast<double>(min_pixels) / area(size)));
  return nearest;
}

Size video_frame_size(Size size, int frames, int factor, const VideoBudget& budget) {
  check(frames >= 2, ErrorCode::kInternal, "video_frame_size needs at least 2 frames");
  if (std::min(size.width, size.height) < factor) {
    const double scale = static_cast<double>(factor) / std::min(size.width, size.height);
    size = {static_cast<int>(size.width * scale), static_cast<int>(size.height * scale)};
  }
  check_shape(size);
  const Size nearest = rounded(size, factor);
  const bool up = budget.rounding == FrameRounding::kUp;
  const double counted =
      2.0 * (up ? std::ceil(frames / 2.0) : static_cast<double>(round_half_even(frames / 2.0)));
  const auto max_pixels = static_cast<double>(budget.max_pixels),
             min_pixels = static_cast<double>(budget.min_pixels);
  if (counted * area(nearest) > max_pixels)
    return shrunk(size, factor, std::sqrt(frames * area(size) / max_pixels));
  if (counted * area(nearest) < min_pixels)
    return grown(size, factor, std::sqrt(min_pixels / (frames * area(size))));
  return nearest;
}

int64_t capped_max_pixels(const VideoBudget& budget, int frames, int factor, int max_frame_tokens) {
  const int64_t cap = int64_t{max_frame_tokens} * factor * factor;
  const auto floor = static_cast<int64_t>(static_cast<double>(budget.min_pixels) * 1.05);
  return std::max(std::min(cap, budget.max_pixels / frames), floor) * frames;
}

}  // namespace prismvid::qwen3_vl
