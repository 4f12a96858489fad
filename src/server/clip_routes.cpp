#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "media/clip.h"
#include "server/byte_range.h"
#include "server/parameters.h"
#include "server/service.h"
#include "server/watched_call.h"

// Parts of a video as files.
namespace prismvid::server {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLongestUs = int64_t{3600} * 1'000'000;

Response get_clip(Request& request, Context& context) {
  const TimeRange range = range_parameter(request, "start", "end");
  if (!request.parameter("end") || range.duration_us() > kLongestUs)
    throw HttpError(400, "invalid_parameter", "give start and end in seconds, at most an hour apart");
  const auto video = context.stores.borrow()->find_video(request.value("id"));
  check(video.has_value(), ErrorCode::kNotFound, "there is no video '", request.value("id"), "'");
  const fs::path source = context.media.open_and_close(video->path);
  const fs::path folder = context.uploads.folder() / ("u_" + random_hex());
  fs::create_directories(folder);
  std::error_code ignored;
  try {
    const std::string ending = media::clip_ending(source);
    const fs::path file = folder / ("clip" + ending);
    run_watched(request, [&](std::stop_token) { return media::cut_clip(source, range, file); });
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const auto bytes = static_cast<int64_t>(fs::file_size(file));
    fs::remove_all(folder, ignored);  // the open file stays until it is sent
    const std::string etag = "\"" + video->id + "-" + std::to_string(range.start_us) + "-" + std::to_string(range.end_us) + "\"";
    return send_file(request, descriptor, bytes, etag, media_type(file));
  } catch (...) {
    fs::remove_all(folder, ignored);
    throw;
  }
}

}  // namespace

void add_clip_routes(Router& router, Context& context) {
  router.add({"GET", "/v1/videos/{id}/clip", Scope::kRead, "A part of the video as a file, from the key frame before start",
              [&](Request& request) { return get_clip(request, context); }, 0, {{"start", "number"}, {"end", "number"}}});
}

}  // namespace prismvid::server
