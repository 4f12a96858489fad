#include "server/chat_media.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "server/url_fetch.h"

namespace prismvid::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

HttpError bad_part(const std::string& message) { return HttpError(400, "invalid_body", message); }

std::string text_of(const ordered_json& part) {
  if (!part.contains("text") || !part["text"].is_string()) throw bad_part("a text part needs 'text'");
  return part["text"].get<std::string>();
}

/// {"image_url": {"url": ...}} or {"image_url": ...}.
std::string url_of(const ordered_json& part, const char* key) {
  const auto value = part.find(key);
  if (value != part.end() && value->is_string()) return value->get<std::string>();
  if (value != part.end() && value->is_object() && value->contains("url") && (*value)["url"].is_string())
    return (*value)["url"].get<std::string>();
  throw bad_part(std::string("a part of this type needs '") + key + "' with a 'url'");
}

bool is_web(const std::string& url) { return url.starts_with("http://") || url.starts_with("https://"); }

}  // namespace

ChatMedia::~ChatMedia() {
  std::error_code ignored;
  for (const fs::path& folder : temporary_) fs::remove_all(folder, ignored);
}

ordered_json ChatMedia::resolve(const ordered_json& part) {
  if (!part.is_object() || !part.contains("type") || !part["type"].is_string()) throw bad_part("a part of a message needs a 'type'");
  const auto type = part["type"].get<std::string>();
  if (type == "text" || type == "input_text" || type == "output_text") return {{"type", "text"}, {"text", text_of(part)}};
  if (type == "refusal") return {{"type", "text"}, {"text", part.value("refusal", "")}};
  if (type == "image_url" || type == "input_image") return {{"type", "image"}, {"image", picture(url_of(part, "image_url"))}};
  if (type != "video_url" && type != "input_video")
    throw bad_part("a part of type '" + type + "' is not known: use text, image_url or video_url");
  ordered_json resolved = {{"type", "video"}, {"video", video(url_of(part, "video_url"))}};
  for (const char* key : {"fps", "frames", "min_frames", "max_frames", "max_tokens", "max_frame_tokens", "start", "end"})
    if (part.contains(key)) {
      if (!part[key].is_number()) throw bad_part(std::string("'") + key + "' of a video must be a number");
      resolved[key] = part[key];
    }
  return resolved;
}

ordered_json ChatMedia::video_part(const std::string& video_id) const {
  const auto video = context_.stores.borrow()->find_video(video_id);
  check(video.has_value(), ErrorCode::kNotFound, "there is no video '", video_id, "'");
  const OpenFile file = context_.media.open(video->path);
  ::close(file.descriptor);
  return {{"type", "video"}, {"video", file.path.string()}};
}

std::string ChatMedia::picture(const std::string& url) {
  if (url.starts_with("data:")) return url;  // decoded from memory
  if (is_web(url)) return fetched(url);
  throw bad_part("a picture must be a data: URL or an http(s) URL");
}

std::string ChatMedia::video(const std::string& url) {
  constexpr std::string_view kStream = "/stream", kVideos = "/v1/videos/";
  if (url.starts_with("data:")) return stored(url);
  if (is_web(url)) return fetched(url);
  if (url.starts_with("u_")) return context_.uploads.finished(url).path;
  std::string id = url;
  if (id.starts_with(kVideos)) id = id.substr(kVideos.size());
  if (id.ends_with(kStream)) id = id.substr(0, id.size() - kStream.size());
  if (id.starts_with("v_")) return video_part(id)["video"].get<std::string>();
  throw bad_part("a video must be the id of one in the library or of an upload, a data: URL, or an http(s) URL");
}

std::string ChatMedia::fetched(const std::string& url) {
  const FetchOptions options{context_.options.allow_private_urls, context_.options.most_upload_bytes};
  const fs::path file = fetch_url(url, context_.uploads.folder(), options, stop_);
  temporary_.push_back(file.parent_path());
  return file.string();
}

std::string ChatMedia::stored(const std::string& data_url) {
  constexpr std::string_view kMark = ";base64,";
  const size_t mark = data_url.find(kMark);
  if (mark == std::string::npos) throw bad_part("a data: URL must be base64");
  const std::string_view text = std::string_view(data_url).substr(mark + kMark.size());
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) throw bad_part("a data: URL is not base64");
  const auto padding = static_cast<size_t>(std::count(text.end() - std::min<ptrdiff_t>(2, std::ssize(text)), text.end(), '='));
  bytes.resize(static_cast<size_t>(length) - padding);
  const fs::path folder = context_.uploads.folder() / ("u_" + random_hex());
  fs::create_directories(folder);
  temporary_.push_back(folder);
  std::ofstream stream(folder / "video", std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  check(static_cast<bool>(stream.flush()), ErrorCode::kUnavailable, "cannot store the video of a request: is the disk full?");
  return (folder / "video").string();
}

}  // namespace prismvid::server
