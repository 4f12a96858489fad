#pragma once

#include <cstdint>
#include <string>

#include "core/geometry.h"
#include "document/document.h"

namespace prismvid::server {

/// How the previews of a video lie on sheets: tiles from left to right, then down, one for each
/// interval.
struct Trickplay {
  int64_t duration_us = 0;
  int64_t interval_us = 0;
  Size tile;
  int columns = 10;
  int rows = 10;

  int64_t count() const { return (duration_us + interval_us - 1) / interval_us; }
  int64_t sheets() const { return (count() + columns * rows - 1) / (columns * rows); }
  /// Tiles on that sheet.
  int64_t tiles_of(int64_t sheet) const;
  /// In pixels; the last sheet may be lower.
  Size sheet_size(int64_t sheet) const;
};

Trickplay trickplay_of(const document::Video& video);

/// WebVTT whose cues name a tile each, "trickplay/0.jpg#xywh=160,0,160,90", as players read it.
std::string trickplay_vtt(const Trickplay& trickplay);
document::Json trickplay_json(const Trickplay& trickplay, const std::string& video_id);

}  // namespace prismvid::server
