#include <algorithm>
#include <filesystem>

#include "document/export.h"
#include "document/json.h"
#include "document/tracks.h"
#include "server/byte_range.h"
#include "server/parameters.h"
#include "server/service.h"

// What belongs to one video: boxes, exports, pictures and the file itself.
namespace prismvid::server {
namespace {

using document::Json;

constexpr int kBoxDecimals = 5;
constexpr int kScoreDecimals = 3;
/// Stored pictures never change under their name.
const std::pair<std::string, std::string> kKeepForLong = {"Cache-Control", "private, max-age=31536000, immutable"};

std::vector<uint8_t> track_bytes(Context& context, const document::Document& document) {
  for (const document::Artifact& artifact : document.artifacts)
    if (artifact.kind == "tracks")
      if (auto bytes = context.stores.borrow()->load_blob(artifact.sha256, "tracks.bin")) return *bytes;
  fail(ErrorCode::kNotFound, "video ", document.video.id, " has no stored tracks: analyse it again");
}

const char* name_of(document::TrackKind kind) {
  switch (kind) {
    case document::TrackKind::kObject: return "object";
    case document::TrackKind::kFace: return "face";
    case document::TrackKind::kText: return "text";
  }
  return "object";
}

/// [t, x0, y0, x1, y1, score] for each point of the range, and the nearest one outside on either
/// side, so that a box can be drawn between two samples.
Json points_in(const document::Track& track, const TimeRange& range) {
  Json points = Json::array();
  for (size_t i = 0; i < track.points.size(); ++i) {
    const TrackPoint& point = track.points[i];
    const bool before = i + 1 < track.points.size() && track.points[i + 1].pts_us > range.start_us;
    const bool after = i > 0 && track.points[i - 1].pts_us < range.end_us;
    if (!range.contains(point.pts_us) && !(point.pts_us < range.start_us && before) &&
        !(point.pts_us >= range.end_us && after))
      continue;
    points.push_back({document::seconds(point.pts_us), document::rounded(point.box.x0, kBoxDecimals),
                      document::rounded(point.box.y0, kBoxDecimals),
                      document::rounded(point.box.x1, kBoxDecimals),
                      document::rounded(point.box.y1, kBoxDecimals),
                      document::rounded(point.score, kScoreDecimals)});
  }
  return points;
}

bool overlaps(const document::Track& track, const TimeRange& range) {
  return !track.points.empty() && track.points.front().pts_us < range.end_us &&
         track.points.back().pts_us >= range.start_us;
}

Response get_tracks(Request& request, Context& context) {
  const TimeRange range = range_parameter(request, "from", "to");
  const auto kinds = list_parameter(request, "kind", {"object", "face", "text"});
  const auto ids = list_parameter(request, "ids");
  const auto published = context.documents.get(request.value("id"));
  Json tracks = Json::array();
  for (const auto& track : document::decode_tracks(track_bytes(context, published->document))) {
    if (!overlaps(track, range)) continue;
    if (!kinds.empty() && !kinds.contains(name_of(track.kind))) continue;
    if (!ids.empty() && !ids.contains(track.id)) continue;
    tracks.push_back({{"id", track.id},
                      {"kind", name_of(track.kind)},
                      {"label", track.label},
                      {"points", points_in(track, range)}});
  }
  return json_response({{"video", request.value("id")}, {"tracks", tracks}});
}

Response get_tracks_file(Request& request, Context& context) {
  const auto published = context.documents.get(request.value("id"));
  const auto bytes = track_bytes(context, published->document);
  return {200, "application/octet-stream", {}, std::string(bytes.begin(), bytes.end())};
}

struct ExportKind {
  const char* content_type;
  const char* ending;
};

ExportKind kind_of(document::Format format) {
  switch (format) {
    case document::Format::kJson: return {"application/json", ".json"};
    case document::Format::kHtml: return {"text/html; charset=utf-8", ".html"};
    case document::Format::kVtt:
    case document::Format::kChapters:
    case document::Format::kCaptions: return {"text/vtt; charset=utf-8", ".vtt"};
    case document::Format::kSrt: return {"application/x-subrip; charset=utf-8", ".srt"};
    case document::Format::kCsv: return {"text/csv; charset=utf-8", ".csv"};
    case document::Format::kOtio: return {"application/json", ".otio"};
    case document::Format::kEdl: return {"text/plain; charset=utf-8", ".edl"};
    case document::Format::kFfmetadata: return {"text/plain; charset=utf-8", ".ffmetadata"};
  }
  return {"text/plain; charset=utf-8", ".txt"};
}

/// As a file name in a header: no quotes, no control characters, nothing beyond ASCII.
std::string header_name(const std::string& name) {
  std::string safe;
  for (const char c : name) safe += c >= ' ' && c < 127 && c != '"' && c != '\\' && c != '/' ? c : '_';
  return safe;
}

Response export_video(Request& request, Context& context) {
  std::string name = request.parameter("format").value_or("json");
  if (name == "chapters.vtt") name = "chapters";
  const document::Format format = document::parse_format(name);
  const auto published = context.documents.get(request.value("id"));
  document::ExportContext exporting;
  exporting.picture = [&](const std::string& href) -> std::optional<std::vector<uint8_t>> {
    const auto place = document::locate_picture(published->document, href);
    return place ? context.stores.borrow()->load_blob(place->cache_key, place->blob) : std::nullopt;
  };
  const ExportKind kind = kind_of(format);
  const std::string stem = std::filesystem::path(published->document.video.name).stem().string();
  Response response{200, kind.content_type, {}, document::export_document(published->document, format, exporting)};
  // Whole pages from here run in the browser as a download only: they are not this service's page.
  response.headers = {{"Content-Disposition", "attachment; filename=\"" + header_name(stem + kind.ending) + "\""}};
  return response;
}

Response picture(Context& context, const document::Document& document, const std::string& href) {
  const auto place = document::locate_picture(document, href);
  const auto bytes = place ? context.stores.borrow()->load_blob(place->cache_key, place->blob) : std::nullopt;
  check(bytes.has_value(), ErrorCode::kNotFound, "video ", document.video.id, " has no picture '", href, "'");
  return {200, "image/jpeg", {kKeepForLong}, std::string(bytes->begin(), bytes->end())};
}

Response get_keyframe(Request& request, Context& context) {
  const auto published = context.documents.get(request.value("id"));
  for (const auto& shot : published->document.shots)
    for (const auto& keyframe : shot.keyframes)
      if (keyframe.id == request.value("keyframe")) return picture(context, published->document, keyframe.image);
  fail(ErrorCode::kNotFound, "video ", request.value("id"), " has no keyframe '", request.value("keyframe"), "'");
}

Response get_picture(Request& request, Context& context) {
  const auto published = context.documents.get(request.value("id"));
  return picture(context, published->document, request.value("stage") + "/" + request.value("name"));
}

Response stream_video(Request& request, Context& context) {
  const auto video = context.stores.borrow()->find_video(request.value("id"));
  check(video.has_value(), ErrorCode::kNotFound, "there is no video '", request.value("id"), "'");
  const OpenFile file = context.media.open(video->path);
  const std::string etag = "\"" + std::to_string(file.bytes) + "-" + std::to_string(file.mtime_ns) + "\"";
  return send_file(request, file.descriptor, file.bytes, etag, media_type(file.path));
}

}  // namespace

void add_video_routes(Router& router, Context& context) {
  const auto add = [&](const char* path, const char* summary, Response (*run)(Request&, Context&),
                       std::vector<QueryParameter> query = {}) {
    router.add({"GET", path, Scope::kRead, summary, [&context, run](Request& request) { return run(request, context); }, 0,
                std::move(query)});
  };
  add("/v1/videos/{id}/tracks", "Boxes of objects, faces and texts within a range", get_tracks,
      {{"from", "number"}, {"to", "number"}, {"kind"}, {"ids"}});
  add("/v1/videos/{id}/tracks.bin", "Every box, as docs/tracks.md describes", get_tracks_file);
  add("/v1/videos/{id}/export", "The analysis in another format", export_video, {{"format"}});
  add("/v1/videos/{id}/stream", "The video file, with HTTP ranges", stream_video);
  add("/v1/videos/{id}/keyframes/{keyframe}.jpg", "A keyframe", get_keyframe);
  add("/v1/videos/{id}/pictures/{stage}/{name}", "A thumbnail that the document names", get_picture);
}

}  // namespace prismvid::server
