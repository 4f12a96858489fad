#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "server/service.h"

namespace prismvid::server {

/// Pictures and videos of one request: those that come with it or from a URL lie in files of their
/// own that go with this object.
class ChatMedia {
 public:
  ChatMedia(Context& context, std::stop_token stop) : context_(context), stop_(std::move(stop)) {}
  ~ChatMedia();
  ChatMedia(const ChatMedia&) = delete;
  ChatMedia& operator=(const ChatMedia&) = delete;

  /// A part of a message in OpenAI's form as inference::parse_conversation() takes it. Never passes
  /// on a path of the caller. Throws HttpError 400, 403, 404, 413 or 422.
  nlohmann::ordered_json resolve(const nlohmann::ordered_json& part);
  /// The part for a video of the library.
  nlohmann::ordered_json video_part(const std::string& video_id) const;

 private:
  std::string picture(const std::string& url);
  std::string video(const std::string& url);
  std::string fetched(const std::string& url);
  std::string stored(const std::string& data_url);

  Context& context_;
  std::stop_token stop_;
  std::vector<std::filesystem::path> temporary_;
};

}  // namespace prismvid::server
