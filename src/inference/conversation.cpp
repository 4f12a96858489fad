#include "inference/conversation.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "core/error.h"
#include "media/still_picture.h"

namespace prismvid::inference {
namespace {

using nlohmann::ordered_json;
using tokenizer::ChatMessage;
using tokenizer::ContentPart;

constexpr size_t kLongestData = size_t{1} << 30;

std::vector<uint8_t> decode_base64(const std::string& text) {
  check(text.size() < kLongestData, ErrorCode::kInvalidArgument, "a data: URL of ",
        text.size() >> 20, " MB is too long; write it to a file and give its path");
  std::vector<uint8_t> bytes(text.size() / 4 * 3 + 3);
  const int length =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  check(length >= 0, ErrorCode::kInvalidArgument, "a data: URL is not base64");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<size_t>(length) - padding);
  return bytes;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int letter = c | 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// RFC 8089: file:///a%20b.jpg and file://localhost/a.jpg.
std::filesystem::path path_of_file_url(std::string_view url) {
  url.remove_prefix(std::string_view("file://").size());
  if (url.starts_with("localhost/")) url.remove_prefix(std::string_view("localhost").size());
  check(url.starts_with('/'), ErrorCode::kInvalidArgument, "file://", url.substr(0, 80),
        " names a file of another machine; an absolute path stands behind three slashes: "
        "file:///home/me/a.jpg");
  std::string path;
  for (size_t i = 0; i < url.size(); ++i) {
    const int high = url[i] == '%' && i + 2 < url.size() ? hex_value(url[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(url[i + 2]) : -1;
    path += low >= 0 ? static_cast<char>(16 * high + low) : url[i];
    if (low >= 0) i += 2;
  }
  return path;
}

std::filesystem::path path_of(const std::string& location) {
  if (location.starts_with("file://")) return path_of_file_url(location);
  check(location.find("://") == std::string::npos && !location.starts_with("data:"),
        ErrorCode::kInvalidArgument, location.substr(0, 80),
        " is not a file: download it first and give its path");
  return location;
}

std::vector<uint8_t> data_of(const std::string& url) {
  const size_t comma = url.find(";base64,");
  check(comma != std::string::npos, ErrorCode::kInvalidArgument, "a data: URL must be base64");
  return decode_base64(url.substr(comma + 8));
}

ImageSource image_of(const std::string& location) {
  if (!location.starts_with("data:")) return path_of(location);
  return std::make_shared<const Image>(media::decode_picture(data_of(location), "the data: URL"));
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<uint8_t>& bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "prismvid-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    path_ = name;
    if (file >= 0) ::close(file);
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.close();
    check(file >= 0 && out.good(), ErrorCode::kUnavailable,
          "cannot write the video of a data: URL to ", path_.string());
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

VideoSource video_of(const std::string& location, const qwen3_vl::VideoOptions& options) {
  if (!location.starts_with("data:")) return {path_of(location), options};
  const auto file = std::make_shared<const TemporaryFile>(data_of(location));
  return {file->path(), options, file};
}

// The value of the first of `keys`: a string, or OpenAI's {"url": ...}.
std::string location_of(const ordered_json& part, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto entry = part.find(key);
    if (entry == part.end()) continue;
    if (entry->is_string()) return entry->get<std::string>();
    if (entry->is_object() && entry->contains("url")) return entry->at("url").get<std::string>();
  }
  fail(ErrorCode::kInvalidArgument,
       "a part of a message names no file: ", part.dump().substr(0, 200));
}

template <typename T>
void read_option(const ordered_json& part, const char* key, std::optional<T>& option) {
  if (const auto entry = part.find(key); entry != part.end() && !entry->is_null())
    option = entry->get<T>();
}

qwen3_vl::VideoOptions options_of(const ordered_json& part, qwen3_vl::VideoOptions options) {
  read_option(part, "fps", options.fps);
  read_option(part, "frames", options.frames);
  read_option(part, "min_frames", options.min_frames);
  read_option(part, "max_frames", options.max_frames);
  read_option(part, "max_tokens", options.max_tokens);
  read_option(part, "max_frame_tokens", options.max_frame_tokens);
  std::optional<double> start, end;
  read_option(part, "start", start);
  read_option(part, "end", end);
  if (start) options.start_us = std::llround(*start * 1e6);
  if (end) options.end_us = std::llround(*end * 1e6);
  return options;
}

std::shared_ptr<const Image> picture_of(const std::string& location) {
  const ImageSource source = image_of(location);
  if (const auto* path = std::get_if<std::filesystem::path>(&source))
    return std::make_shared<const Image>(media::read_picture(*path));
  return std::get<std::shared_ptr<const Image>>(source);
}

// A list of pictures with "times" in seconds, or evenly "fps" apart (2, as qwen-vl-utils).
FrameList frames_of(const ordered_json& part) {
  FrameList list;
  for (const ordered_json& frame : part.at("video"))
    list.frames.push_back(picture_of(frame.get<std::string>()));
  const auto fps = part.value("fps", 2.0);
  check(fps > 0, ErrorCode::kInvalidArgument, "the fps of a list of frames must be above 0");
  const auto times = part.find("times");
  for (size_t i = 0; i < list.frames.size(); ++i) {
    const double seconds =
        times != part.end() ? times->at(i).get<double>() : static_cast<double>(i) / fps;
    list.times_us.push_back(std::llround(seconds * 1e6));
  }
  return list;
}

void append_video_part(Conversation& conversation, const ordered_json& part,
                       const qwen3_vl::VideoOptions& defaults) {
  if (const auto frames = part.find("video"); frames != part.end() && frames->is_array())
    return conversation.append_video({frames_of(part), options_of(part, defaults)});
  conversation.append_video(video_of(location_of(part, {"video", "video_url", "path", "url"}),
                                     options_of(part, defaults)));
}

void append_part(Conversation& conversation, const ordered_json& part,
                 const qwen3_vl::VideoOptions& defaults) {
  check(part.is_object(), ErrorCode::kInvalidArgument,
        "a part of a message must be an object, got ", part.dump().substr(0, 80));
  const auto type = part.at("type").get<std::string>();
  if (type == "text" || type == "input_text")
    conversation.append_text(part.at("text").get<std::string>());
  else if (type == "image" || type == "image_url" || type == "input_image")
    conversation.append_image(image_of(location_of(part, {"image", "image_url", "path", "url"})));
  else if (type == "video" || type == "video_url" || type == "input_video")
    append_video_part(conversation, part, defaults);
  else
    fail(ErrorCode::kInvalidArgument, "a message part of type \"", type,
         "\" is not known; known are text, image, video, image_url and video_url");
}

void read_tool_calls(const ordered_json& message, ChatMessage& chat) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end() || calls->is_null()) return;
  for (const ordered_json& call : *calls) {
    const ordered_json& function = call.contains("function") ? call.at("function") : call;
    chat.tool_calls.push_back({function.at("name").get<std::string>(), function.at("arguments")});
  }
}

void append_message(Conversation& conversation, const ordered_json& message,
                    const qwen3_vl::VideoOptions& defaults) {
  ChatMessage chat;
  chat.role = tokenizer::parse_role(message.at("role").get<std::string>());
  for (const char* key : {"reasoning_content", "reasoning"})
    if (const auto entry = message.find(key); entry != message.end() && entry->is_string())
      chat.reasoning = entry->get<std::string>();
  read_tool_calls(message, chat);
  conversation.messages.push_back(std::move(chat));
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return;
  if (content->is_string()) return conversation.append_text(content->get<std::string>());
  check(content->is_array(), ErrorCode::kInvalidArgument,
        "the content of a message must be a string or a list");
  for (const ordered_json& part : *content) append_part(conversation, part, defaults);
}

}  // namespace

void Conversation::add_text(tokenizer::Role role, std::string text) {
  messages.push_back({role, {}, {}, {}});
  append_text(std::move(text));
}

void Conversation::append_text(std::string text) {
  messages.back().content.push_back({ContentPart::Kind::kText, std::move(text)});
}

void Conversation::append_image(ImageSource image) {
  messages.back().content.push_back({ContentPart::Kind::kImage, ""});
  media.emplace_back(std::move(image));
}

void Conversation::append_video(VideoSource video) {
  messages.back().content.push_back({ContentPart::Kind::kVideo, ""});
  media.emplace_back(std::move(video));
}

Conversation parse_conversation(const ordered_json& messages,
                                const qwen3_vl::VideoOptions& defaults) {
  check(messages.is_array() && !messages.empty(), ErrorCode::kInvalidArgument,
        "messages must be a list with at least one message");
  Conversation conversation;
  try {
    for (const ordered_json& message : messages) append_message(conversation, message, defaults);
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kInvalidArgument, "messages: ", e.what());
  }
  return conversation;
}

}  // namespace prismvid::inference
