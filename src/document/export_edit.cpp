#include <cmath>
#include <cstdio>

#include "core/error.h"
#include "document/export_parts.h"
#include "document/json.h"

// Lists for editing programs.
namespace prismvid::document {

namespace {

int64_t nominal_rate(const Rational& rate) {
  return std::llround(rate.value());
}

bool is_drop_frame(const Rational& rate) {
  return rate.denominator == 1001 && (rate.numerator == 30000 || rate.numerator == 60000);
}

void need_rate(const Document& document, const char* format) {
  check(document.video.picture.frame_rate.value() > 0, ErrorCode::kInvalidArgument, format,
        " counts frames, and the frame rate of '", document.video.name, "' is not known");
}

/// Frames at the constant rate an editing program conforms to. With a constant rate that is the
/// frame's number.
int64_t frame_at(const Document& document, int64_t t_us) {
  const Rational& rate = document.video.picture.frame_rate;
  const long double frames = static_cast<long double>(t_us) *
                             static_cast<long double>(rate.numerator) /
                             (1'000'000.0L * static_cast<long double>(rate.denominator));
  return std::llround(frames);
}

struct FrameRange {
  int64_t start = 0;
  int64_t end = 0;
};

FrameRange frames_of(const Document& document, const DocumentShot& shot) {
  if (!document.video.picture.variable_frame_rate) return {shot.frame_start, shot.frame_end};
  return {frame_at(document, shot.range.start_us), frame_at(document, shot.range.end_us)};
}

/// One line of printable text: EDL readers take others badly.
std::string edl_comment(const std::string& text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out;
}

Json rational_time(int64_t value, const Rational& rate) {
  return {{"OTIO_SCHEMA", "RationalTime.1"},
          {"rate", rate.value()},
          {"value", static_cast<double>(value)}};
}

Json time_range(int64_t start, int64_t end, const Rational& rate) {
  return {{"OTIO_SCHEMA", "TimeRange.1"},
          {"duration", rational_time(end - start, rate)},
          {"start_time", rational_time(start, rate)}};
}

Json item(const char* schema, const std::string& name) {
  return {{"OTIO_SCHEMA", schema}, {"metadata", Json::object()}, {"name", name}};
}

Json marker(const std::string& name, const char* color, int64_t start, int64_t end,
            const Rational& rate) {
  Json json = item("Marker.2", name);
  json["color"] = color;
  json["marked_range"] = time_range(start, end, rate);
  return json;
}

Json clip(const Document& document, const DocumentShot& shot, const std::string& uri) {
  const Rational& rate = document.video.picture.frame_rate;
  Json media = item("ExternalReference.1", document.video.name);
  media["available_range"] = time_range(0, frame_at(document, document.video.duration_us), rate);
  media["available_image_bounds"] = nullptr;
  media["target_url"] = uri;
  const FrameRange frames = frames_of(document, shot);
  Json json = item("Clip.2", shot.id);
  json["metadata"] = {{"prismvid",
                       {{"start", seconds(shot.range.start_us)},
                        {"end", seconds(shot.range.end_us)},
                        {"transition", to_string(shot.transition.kind)}}}};
  json["source_range"] = time_range(frames.start, frames.end, rate);
  json["effects"] = Json::array();
  json["markers"] = Json::array();
  json["enabled"] = true;
  json["media_references"] = {{"DEFAULT_MEDIA", media}};
  json["active_media_reference_key"] = "DEFAULT_MEDIA";
  return json;
}

/// Scenes and markers, in the time of the stack: it starts with the analysed range.
Json stack_markers(const Document& document) {
  const Rational& rate = document.video.picture.frame_rate;
  const int64_t origin =
      document.shots.empty() ? 0 : frames_of(document, document.shots.front()).start;
  Json markers = Json::array();
  auto add = [&](const std::string& name, const char* color, const TimeRange& range) {
    markers.push_back(marker(name, color, frame_at(document, range.start_us) - origin,
                             frame_at(document, range.end_us) - origin, rate));
  };
  for (const ChapterMark& mark : chapter_marks(document)) add(mark.title, "GREEN", mark.range);
  for (const MarkerElement& element : document.markers)
    for (const Instance& instance : element.instances) add(element.kind, "RED", instance.range);
  return markers;
}

}  // namespace

std::string timecode(int64_t frame, const Rational& rate) {
  const int64_t nominal = nominal_rate(rate);
  const bool drop = is_drop_frame(rate);
  if (drop) {
    // The first 2 (at 60: 4) numbers of each minute are left out, but for every tenth minute (SMPTE
    // ST 12-1).
    const int64_t skipped = nominal / 15;
    const int64_t per_minute = nominal * 60 - skipped;
    const int64_t per_ten = per_minute * 10 + skipped;
    const int64_t tens = frame / per_ten, rest = frame % per_ten;
    frame += skipped * 9 * tens;
    if (rest >= nominal * 60) frame += skipped * ((rest - skipped) / per_minute);
  }
  const int64_t total_s = frame / nominal;
  char text[64];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld%c%02lld",
                static_cast<long long>(total_s / 3600 % 24),
                static_cast<long long>(total_s / 60 % 60), static_cast<long long>(total_s % 60),
                drop ? ';' : ':', static_cast<long long>(frame % nominal));
  return text;
}

std::string to_edl(const Document& document) {
  need_rate(document, "EDL");
  const Rational& rate = document.video.picture.frame_rate;
  std::string out = "TITLE: " + edl_comment(document.video.name) +
                    "\r\nFCM: " + (is_drop_frame(rate) ? "DROP FRAME" : "NON-DROP FRAME") + "\r\n";
  int number = 0;
  int64_t record = 0;
  for (const DocumentShot& shot : document.shots) {
    const FrameRange frames = frames_of(document, shot);
    const int64_t length = frames.end - frames.start;
    char event[160];
    // Dissolves are in the picture already: each shot is a plain cut of the source.
    std::snprintf(event, sizeof event, "%03d  AX       V     C        %s %s %s %s\r\n", ++number,
                  timecode(frames.start, rate).c_str(), timecode(frames.end, rate).c_str(),
                  timecode(record, rate).c_str(), timecode(record + length, rate).c_str());
    out += "\r\n" + std::string(event);
    out += "* FROM CLIP NAME: " + edl_comment(document.video.name) + "\r\n";
    if (shot.transition.range) {
      out += "* COMMENT: " + std::string(to_string(shot.transition.kind)) + " from " +
             timecode(frame_at(document, shot.transition.range->start_us), rate) + " to " +
             timecode(frame_at(document, shot.transition.range->end_us), rate) + "\r\n";
    }
    record += length;
  }
  return out;
}

std::string to_otio(const Document& document, const ExportContext& context) {
  need_rate(document, "OpenTimelineIO");
  const std::string uri = !context.media_uri.empty() ? context.media_uri
                          : document.video.source    ? document.video.source->uri
                                                     : document.video.name;
  Json track = item("Track.1", "Shots");
  track["source_range"] = nullptr;
  track["effects"] = Json::array();
  track["markers"] = Json::array();
  track["enabled"] = true;
  track["children"] = Json::array();
  track["kind"] = "Video";
  for (const DocumentShot& shot : document.shots)
    track["children"].push_back(clip(document, shot, uri));
  Json stack = item("Stack.1", "tracks");
  stack["source_range"] = nullptr;
  stack["effects"] = Json::array();
  stack["markers"] = stack_markers(document);
  stack["enabled"] = true;
  stack["children"] = Json::array({track});
  Json timeline = item("Timeline.1", document.video.name);
  timeline["global_start_time"] = nullptr;
  timeline["tracks"] = stack;
  return to_text(timeline, 2) + "\n";
}

}  // namespace prismvid::document
