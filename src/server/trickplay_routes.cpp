#include <algorithm>
#include <cstring>
#include <mutex>

#include "core/jpeg.h"
#include "core/sha256.h"
#include "document/json.h"
#include "media/thumbnails.h"
#include "server/parameters.h"
#include "server/service.h"
#include "server/trickplay.h"
#include "server/watched_call.h"

// Previews for the seek bar: many small pictures on a sheet, made when a sheet is first asked for.
namespace prismvid::server {
namespace {

constexpr int kQuality = 75;
constexpr const char* kStage = "trickplay";
constexpr const char* kVersion = "1";  // raise it when the sheets come out otherwise
constexpr const char* kBlob = "sheet.jpg";

Image make_sheet(const std::filesystem::path& file, const Trickplay& trickplay, int64_t sheet, std::stop_token stop) {
  std::vector<int64_t> times_us;
  const int64_t first = sheet * trickplay.columns * trickplay.rows;
  for (int64_t i = first; i < first + trickplay.tiles_of(sheet); ++i) times_us.push_back(i * trickplay.interval_us);
  const auto tiles = media::read_thumbnails(file, times_us, {trickplay.tile, trickplay.interval_us, std::move(stop)});
  const Size size = trickplay.sheet_size(sheet);
  Image picture(size.width, size.height, 3);
  for (size_t i = 0; i < tiles.size(); ++i) {
    const int left = static_cast<int>(i) % trickplay.columns * trickplay.tile.width, top = static_cast<int>(i) / trickplay.columns * trickplay.tile.height;
    for (int y = 0; y < trickplay.tile.height; ++y) std::memcpy(picture.row(top + y) + left * 3, tiles[i].row(y), static_cast<size_t>(tiles[i].stride()));
  }
  return picture;
}

class TrickplaySheets {
 public:
  explicit TrickplaySheets(Context& context) : context_(context) {}

  Response get(const Request& request) {
    const auto published = context_.documents.get(request.value("id"));
    const document::Video& video = published->document.video;
    const Trickplay trickplay = trickplay_of(video);
    Request number;
    number.query = {{"sheet", request.value("sheet")}};
    const int64_t sheet = integer_parameter(number, "sheet", 0, 0, INT64_MAX);
    check(sheet < trickplay.sheets(), ErrorCode::kNotFound, "video ", video.id, " has ", trickplay.sheets(), " sheets, counted from 0");
    const std::string key = sha256_hex(document::to_text({kStage, kVersion, video.sha256, trickplay_json(trickplay, ""), sheet}));
    if (auto kept = load(key)) return answer(*kept);
    return answer(run_watched(request, [&](const std::stop_token& stop) { return make(video.id, trickplay, sheet, key, stop); }));
  }

 private:
  std::optional<std::vector<uint8_t>> load(const std::string& key) { return context_.stores.borrow()->load_blob(key, kBlob); }

  /// One at a time: decoding takes all cores, and a second request for a sheet finds it stored.
  std::vector<uint8_t> make(const std::string& id, const Trickplay& trickplay, int64_t sheet, const std::string& key, const std::stop_token& stop) {
    const std::lock_guard lock(turn_);
    if (auto kept = load(key)) return *kept;
    const auto video = context_.stores.borrow()->find_video(id);
    check(video.has_value(), ErrorCode::kNotFound, "there is no video '", id, "'");
    const auto began = std::chrono::steady_clock::now();
    std::vector<uint8_t> jpeg = encode_jpeg(make_sheet(context_.media.open_and_close(video->path), trickplay, sheet, stop), kQuality);
    store::StageRecord record;
    record.cache_key = key;
    record.video_id = id;
    record.stage = kStage;
    record.version = kVersion;
    record.wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
    record.frames = trickplay.tiles_of(sheet);
    record.extra_json = "{}";
    context_.stores.borrow()->put_stage(record, {"{}", {{kBlob, jpeg}}});
    return jpeg;
  }

  static Response answer(const std::vector<uint8_t>& jpeg) {
    return {200, "image/jpeg", {{"Cache-Control", "private, max-age=86400"}}, std::string(jpeg.begin(), jpeg.end())};
  }

  Context& context_;
  std::mutex turn_;
};

}  // namespace

void add_trickplay_routes(Router& router, Context& context) {
  const auto sheets = std::make_shared<TrickplaySheets>(context);
  router.add({"GET", "/v1/videos/{id}/trickplay.vtt", Scope::kRead, "Where each moment's preview lies, as WebVTT", [&](Request& request) {
                return Response{200, "text/vtt; charset=utf-8", {}, trickplay_vtt(trickplay_of(context.documents.get(request.value("id"))->document.video))};
              }});
  router.add({"GET", "/v1/videos/{id}/trickplay.json", Scope::kRead, "Size, interval and sheets of the previews", [&](Request& request) {
                return json_response(trickplay_json(trickplay_of(context.documents.get(request.value("id"))->document.video), request.value("id")));
              }});
  router.add({"GET", "/v1/videos/{id}/trickplay/{sheet}.jpg", Scope::kRead, "A sheet of previews", [sheets](Request& request) { return sheets->get(request); }});
}

}  // namespace prismvid::server
