#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/image.h"
#include "models/qwen3_vl/video_plan.h"
#include "tokenizer/chat_template.h"

namespace prismvid::inference {

/// A picture from a file or from memory.
using ImageSource = std::variant<std::filesystem::path, std::shared_ptr<const Image>>;

/// Frames that are already chosen, with their own times: none is dropped or taken twice.
struct FrameList {
  std::vector<std::shared_ptr<const Image>> frames;
  std::vector<int64_t> times_us;  // one for each frame
};

struct VideoSource {
  std::variant<std::filesystem::path, FrameList> frames;
  qwen3_vl::VideoOptions options;
  std::shared_ptr<const void> owner = {};  // of a file that goes away with the last source
};

/// Messages as the chat template takes them, and their media in prompt order.
struct Conversation {
  std::vector<tokenizer::ChatMessage> messages;
  std::vector<std::variant<ImageSource, VideoSource>> media;
  nlohmann::ordered_json tools = nlohmann::ordered_json::array();

  void add_text(tokenizer::Role role, std::string text);
  /// Adds to the last message, which must be there.
  void append_text(std::string text);
  void append_image(ImageSource image);
  void append_video(VideoSource video);
};

/// Reads a JSON list of messages: content a string or a list of {"type": "text" | "image" |
/// "video", ...}, also OpenAI's "image_url" and "video_url" (paths, file: URLs, "data:" URLs of
/// base64; a video of such becomes a temporary file), videos as a list of pictures with "times",
/// tool calls and reasoning. A video part may carry fps, frames, min_frames, max_frames,
/// max_tokens, max_frame_tokens, start and end (seconds), which go before `defaults`. Throws
/// Error(kInvalidArgument) for anything else.
Conversation parse_conversation(const nlohmann::ordered_json& messages,
                                const qwen3_vl::VideoOptions& defaults = {});

}  // namespace prismvid::inference
