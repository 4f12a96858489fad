#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "video_options.h"

namespace prismvid {

/// A decoded picture: 8-bit RGB, rows from the top without padding.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;  // 3 * width * height bytes
};

/// Frames that are already chosen: all are shown, none twice.
struct Frames {
  std::vector<Picture> pictures;  // of one size
  std::vector<int64_t> times_us;  // one for each, ascending
};

struct TextPart {
  std::string text;
};
struct ImagePart {
  std::variant<std::filesystem::path, Picture> source;
};
struct VideoPart {
  std::variant<std::filesystem::path, Frames> source;
  VideoOptions options = {};
};
using Part = std::variant<TextPart, ImagePart, VideoPart>;

/// What a message is made of. Files are read when the message is answered.
inline Part text(std::string words) {
  return TextPart{std::move(words)};
}
inline Part image(std::filesystem::path file) {
  return ImagePart{std::move(file)};
}
inline Part image(Picture picture) {
  return ImagePart{std::move(picture)};
}
inline Part video(std::filesystem::path file, VideoOptions options = {}) {
  return VideoPart{std::move(file), options};
}
inline Part video(Frames frames, VideoOptions options = {}) {
  return VideoPart{std::move(frames), options};
}

enum class Role { kSystem, kUser, kAssistant, kTool };

struct ToolCall {
  std::string name;
  std::string arguments;  // JSON
};

struct Message {
  Role role = Role::kUser;
  std::vector<Part> parts;
  std::optional<std::string> reasoning = {};  // of an assistant's message, without <think>
  std::vector<ToolCall> tool_calls = {};      // of an assistant's message
};

}  // namespace prismvid
