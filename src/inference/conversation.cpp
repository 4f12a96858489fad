#include "inference/conversation.h"

#include <openssl/evp.h>

#include <cmath>

#include "core/error.h"
#include "media/still_picture.h"

namespace prismvid::inference {
namespace {

using nlohmann::ordered_json;
using tokenizer::ChatMessage;
using tokenizer::ContentPart;

std::vector<uint8_t> decode_base64(const std::string& text) {
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

std::filesystem::path path_of(const std::string& location) {
  if (location.starts_with("file://")) return location.substr(7);
  check(location.find("://") == std::string::npos && !location.starts_with("data:"),
        ErrorCode::kInvalidArgument, location.substr(0, 80),
        " is not a file: download it first and give its path");
  return location;
}

ImageSource image_of(const std::string& location) {
  if (!location.starts_with("data:")) return path_of(location);
  const size_t comma = location.find(";base64,");
  check(comma != std::string::npos, ErrorCode::kInvalidArgument, "a data: URL must be base64");
  return std::make_shared<const Image>(
      media::decode_picture(decode_base64(location.substr(comma + 8)), "the data: URL"));
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
    conversation.append_video({path_of(location_of(part, {"video", "video_url", "path", "url"})),
                               options_of(part, defaults)});
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
