#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "inference/conversation.h"
#include "media/frame_times.h"
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
  std::shared_ptr<const Image> picture;  // as it came; none for videos
  /// Of a file's frames; none for pictures and frame lists.
  std::shared_ptr<const media::FrameTimes> file;
  std::vector<int64_t> frame_indices;  // of the file, ascending
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

/// Reads the picture, or the times of the video's frames, to know exactly what load() will give.
/// Throws Error: kNotFound, kUnreadable, kNotVideo, kInvalidArgument.
MediaPlan plan_media(const std::variant<ImageSource, VideoSource>& source,
                     const MediaSettings& settings);

/// Patches of whole frame pairs, and for each pair a name of what it shows: equal names, equal
/// patches.
struct MediaPart {
  qwen3_vl::PatchRows rows;
  std::vector<std::string> keys;
};

/// The patches of a conversation's media, part by part, each of whole frame pairs. Decodes and
/// resizes on threads of its own, at most two parts ahead, so memory does not grow with a video.
class MediaStream {
 public:
  /// What `settings` refers to must outlive this. `on_ready` is called from the decoding thread
  /// whenever next() will not wait any more.
  MediaStream(std::vector<std::variant<ImageSource, VideoSource>> media,
              std::vector<MediaPlan> plans, const MediaSettings& settings,
              std::function<void()> on_ready = {});
  ~MediaStream();

  /// Whether next() returns at once.
  bool ready() const;
  /// Waits for the next part; nullopt behind the last. Throws what decoding threw: Error kNotFound,
  /// kUnreadable, kNotVideo, kInvalidArgument.
  std::optional<MediaPart> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace prismvid::inference
