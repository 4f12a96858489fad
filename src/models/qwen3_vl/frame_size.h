#pragma once

#include <cstdint>

#include "core/geometry.h"

namespace prismvid::qwen3_vl {

/// The size nearest to `size` whose sides are multiples of `factor` and whose area is in
/// [min_pixels, max_pixels]. As smart_resize() of transformers' Qwen2-VL image processor. Throws
/// Error(kInvalidArgument) for a shape beyond 200:1.
Size image_size(Size size, int factor, int64_t min_pixels, int64_t max_pixels);

/// How an odd number of frames counts against the budget.
enum class FrameRounding { kUp, kHalfToEven };  // transformers 4.57 and mlx-vlm; transformers 5

struct VideoBudget {
  int64_t min_pixels = 0;  // of all frames together
  int64_t max_pixels = 0;
  FrameRounding rounding = FrameRounding::kUp;
};

/// The same for each of `frames` frames of a video, at least 2. As smart_resize() of Qwen3-VL's
/// video processor.
Size video_frame_size(Size size, int frames, int factor, const VideoBudget& budget);

/// The whole video's budget when no frame may take more than `max_frame_tokens`:
/// cap_pixels_per_frame of transformers, the rule of qwen-vl-utils.
int64_t capped_max_pixels(const VideoBudget& budget, int frames, int factor, int max_frame_tokens);

/// Half to even, as Python's round().
int64_t round_half_even(double value);

}  // namespace prismvid::qwen3_vl
