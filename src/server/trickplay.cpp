#include "server/trickplay.h"

#include <algorithm>

#include "document/json.h"
#include "document/words.h"

namespace prismvid::server {
namespace {

constexpr int kTileSide = 160;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMostIntervalSeconds = 10;
constexpr int64_t kWantedTiles = 300;

std::string sheet_name(int64_t sheet) { return "trickplay/" + std::to_string(sheet) + ".jpg"; }

}  // namespace

int64_t Trickplay::tiles_of(int64_t sheet) const {
  const int64_t full = int64_t{columns} * rows;
  return std::clamp<int64_t>(count() - sheet * full, 0, full);
}

Size Trickplay::sheet_size(int64_t sheet) const {
  const int64_t tiles = tiles_of(sheet);
  return {tile.width * static_cast<int>(std::min<int64_t>(tiles, columns)), tile.height * static_cast<int>((tiles + columns - 1) / columns)};
}

Trickplay trickplay_of(const document::Video& video) {
  Trickplay trickplay;
  trickplay.duration_us = std::max<int64_t>(video.duration_us, 1);
  const int64_t seconds = trickplay.duration_us / (kWantedTiles * kSecond) + 1;
  trickplay.interval_us = std::min(seconds, kMostIntervalSeconds) * kSecond;
  trickplay.tile = fit_within({std::max(video.picture.width, 1), std::max(video.picture.height, 1)}, kTileSide);
  return trickplay;
}

std::string trickplay_vtt(const Trickplay& trickplay) {
  std::string text = "WEBVTT\n";
  const int64_t full = int64_t{trickplay.columns} * trickplay.rows;
  for (int64_t i = 0; i < trickplay.count(); ++i) {
    const int64_t start_us = i * trickplay.interval_us, end_us = std::min(start_us + trickplay.interval_us, trickplay.duration_us);
    const int64_t x = i % full % trickplay.columns * trickplay.tile.width, y = i % full / trickplay.columns * trickplay.tile.height;
    text += "\n" + document::cue_time(start_us, '.') + " --> " + document::cue_time(end_us / 1000 * 1000, '.') + "\n" + sheet_name(i / full) + "#xywh=" + std::to_string(x) + "," + std::to_string(y) + "," +
            std::to_string(trickplay.tile.width) + "," + std::to_string(trickplay.tile.height) + "\n";
  }
  return text;
}

document::Json trickplay_json(const Trickplay& trickplay, const std::string& video_id) {
  document::Json sheets = document::Json::array();
  for (int64_t sheet = 0; sheet < trickplay.sheets(); ++sheet) sheets.push_back("/v1/videos/" + video_id + "/" + sheet_name(sheet));
  return {{"interval", document::seconds(trickplay.interval_us)}, {"width", trickplay.tile.width}, {"height", trickplay.tile.height}, {"columns", trickplay.columns},
          {"rows", trickplay.rows}, {"count", trickplay.count()}, {"sheets", sheets}};
}

}  // namespace prismvid::server
