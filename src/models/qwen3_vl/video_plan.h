#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/qwen3_vl/config.h"
#include "models/qwen3_vl/frame_size.h"
#include "models/qwen3_vl/patches.h"
#include "prismvid/video_options.h"

namespace prismvid::qwen3_vl {

/// How a video stands in the prompt. Release: transformers 4.57, mlx-vlm, vLLM of the model's
/// release. Outer: since transformers 5.10 one more pair of <|vision_start|> and <|vision_end|>
/// stays around all groups.
enum class VideoDialect { kRelease, kOuter };

/// What to show of a video, and how it is told the model.
struct VideoOptions : prismvid::VideoOptions {
  VideoDialect dialect = VideoDialect::kRelease;
};

/// What is known of a video before it is decoded.
struct VideoFacts {
  int64_t frames = 0;
  double frame_rate = 0;  // 0: not known, counted as 24
  Size size;
};

/// Which frames of the file to take, ascending. As sample_frames() of Qwen3-VL's video processor
/// inside the range asked for. Throws Error(kInvalidArgument) where the range holds no frame or an
/// option cannot be.
std::vector<int64_t> sample_frames(const VideoFacts& facts, const VideoOptions& options,
                                   const ProcessorConfig& processor);

/// Size that `frames` frames of a video are resized to.
Size planned_frame_size(Size size, int frames, const VideoOptions& options,
                        const ProcessorConfig& processor, const VisionConfig& vision);

/// The time each pair of frames is told the model: the mean of both, in seconds; an odd last frame
/// stands twice.
std::vector<double> group_times(const std::vector<int64_t>& times_us);

/// "<12.3 seconds>"
std::string timestamp_text(double seconds);

}  // namespace prismvid::qwen3_vl
