#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "inference/conversation.h"
#include "models/qwen3_vl/config.h"
#include "models/qwen3_vl/patches.h"
#include "models/qwen3_vl/prompt.h"

namespace prismvid::inference {

/// What a picture or video of a conversation will cost, before anything is encoded.
struct MediaPlan {
  bool video = false;
  Size source_size;
  Size size;  // after resizing
  qwen3_vl::MediaLayout layout;
  std::vector<int64_t> frame_indices;  // of the file; empty for pictures and frame lists
  std::vector<int64_t> times_us;       // of each frame

  int tokens(const qwen3_vl::VisionConfig& vision) const {
    return layout.grid.patches() / (vision.spatial_merge_size * vision.spatial_merge_size);
  }
};

/// Settings of the checkpoint that decide how media are shown to it.
struct MediaSettings {
  const qwen3_vl::VisionConfig& vision;
  const qwen3_vl::ProcessorConfig& processor;
};

/// Reads the picture, or decodes the video's times, to know exactly what load() will give.
/// Throws Error: kNotFound, kUnreadable, kNotVideo, kInvalidArgument.
MediaPlan plan_media(const std::variant<ImageSource, VideoSource>& source,
                     const MediaSettings& settings);

/// Gives the patches of a medium part by part, each of whole frame pairs; parts of a video are
/// decoded on another thread while the caller works, at most two ahead, so memory does not grow
/// with the video.
void load_media(const std::variant<ImageSource, VideoSource>& source, const MediaPlan& plan,
                const MediaSettings& settings,
                const std::function<void(const qwen3_vl::PatchRows&)>& take,
                std::stop_token stop = {});

}  // namespace prismvid::inference
