#include <algorithm>

#include "core/error.h"
#include "document/export_parts.h"
#include "document/json.h"
#include "document/words.h"

// Subtitles, chapters and tables.
namespace prismvid::document {

namespace {

struct Cue {
  TimeRange range;
  std::string text;
};

/// A cue ends at its first empty line, in WebVTT as in SubRip: there must be none inside.
std::string cue_lines(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\r') continue;
    if (c == '\n' && (out.empty() || out.back() == '\n')) continue;
    out += c;
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

/// A NOTE must hold neither a line end nor an arrow.
std::string one_cue_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r' || c == '>') c = ' ';
  return text;
}

std::string escape_cue(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

/// The transcript, or without one the subtitles that were read from the picture.
std::vector<Cue> cues(const Document& document) {
  std::vector<Cue> all;
  if (document.transcript) {
    for (const DocumentSegment& s : document.transcript->segments)
      all.push_back({s.range, s.speaker.empty() ? s.text : s.speaker + ": " + s.text});
    return all;
  }
  for (const TextElement& text : document.texts) {
    if (text.role != TextRole::kSubtitle) continue;
    for (const TextInstance& i : text.instances) all.push_back({i.range, text.text});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Cue& a, const Cue& b) { return a.range.start_us < b.range.start_us; });
  return all;
}

std::string origin_note(const Document& document) {
  if (!document.transcript) {
    return "Subtitles read from the picture (OCR); the video has no transcript.";
  }
  const std::string& origin = document.transcript->origin;
  return "Transcript" + (origin.empty() ? "" : " (" + origin + ")") + ", language " +
         document.transcript->language + ".";
}

std::string timing(const TimeRange& range, char point) {
  return cue_time(range.start_us, point) + " --> " + cue_time(range.end_us, point);
}

std::string escape_ffmetadata(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '=' || c == ';' || c == '#' || c == '\\' || c == '\n') out += '\\';
    out += c;
  }
  return out;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

/// One row: type,id,label,start,end,confidence,x0,y0,x1,y1,shot.
struct Row {
  std::string type, id, label;
  TimeRange range;
  std::optional<float> confidence;
  std::optional<Box> box;
  std::string shot;
};

std::string csv_line(const Row& row) {
  std::string line = row.type + "," + csv_field(row.id) + "," + csv_field(row.label) + "," +
                     to_text(seconds(row.range.start_us)) + "," +
                     to_text(seconds(row.range.end_us)) + ",";
  auto number = [](double value, int decimals) { return to_text(Json(rounded(value, decimals))); };
  if (row.confidence) line += number(*row.confidence, 4);
  const Box box = row.box.value_or(Box{});
  for (float v : {box.x0, box.y0, box.x1, box.y1}) line += "," + (row.box ? number(v, 5) : "");
  return line + "," + row.shot + "\r\n";
}

void add_rows(std::string& csv, const std::string& type, const std::string& id,
              const std::string& label, const std::vector<Instance>& instances) {
  for (const Instance& i : instances) {
    csv += csv_line({type, id, label, i.range, i.confidence,
                     i.best ? i.best->box : std::optional<Box>(),
                     i.shots.empty() ? "" : i.shots.front()});
  }
}

}  // namespace

std::string to_vtt(const Document& document) {
  std::string out = "WEBVTT\n\nNOTE " + origin_note(document) + "\n";
  for (const Cue& cue : cues(document)) {
    const std::string lines = cue_lines(escape_cue(cue.text));
    if (!lines.empty()) out += "\n" + timing(cue.range, '.') + "\n" + lines + "\n";
  }
  return out;
}

std::string to_captions(const Document& document) {
  check(!document.captions.empty(), ErrorCode::kInvalidArgument,
        "the video has no captions: run 'prismvid analyze' with --deep auto first");
  std::string out = "WEBVTT\n\nNOTE What the video shows, by " +
                    one_cue_line(document.captions.front().at("by").value("model", "a model")) +
                    ".\n";
  for (const Json& caption : document.captions) {
    if (caption.value("level", "") != "window") continue;
    const TimeRange range = time_range(caption);
    const std::string lines = cue_lines(escape_cue(caption.at("text").get<std::string>()));
    if (!lines.empty()) out += "\n" + timing(range, '.') + "\n" + lines + "\n";
  }
  return out;
}

std::string to_srt(const Document& document) {
  std::string out;
  int number = 0;
  for (const Cue& cue : cues(document)) {
    const std::string lines = cue_lines(cue.text);
    if (lines.empty()) continue;
    out += (number == 0 ? "" : "\n") + std::to_string(number + 1) + "\n" + timing(cue.range, ',') +
           "\n" + lines + "\n";
    ++number;
  }
  return out;
}

std::vector<ChapterMark> chapter_marks(const Document& document) {
  std::vector<ChapterMark> marks;
  for (const Json& chapter : document.chapters)
    marks.push_back({time_range(chapter), chapter.value("title", "")});
  if (!marks.empty()) return marks;
  for (const DocumentScene& scene : document.scenes) {
    std::string title = scene.title;
    if (title.empty()) {
      title = "Scene " + std::to_string(marks.size() + 1);
      if (!scene.places.empty()) title += ": " + scene.places.front().name;
    }
    marks.push_back({scene.range, title});
  }
  return marks;
}

std::string to_chapters(const Document& document) {
  std::string out = "WEBVTT\n";
  int number = 0;
  for (const ChapterMark& mark : chapter_marks(document)) {
    out += "\n" + std::to_string(++number) + "\n" + timing(mark.range, '.') + "\n" +
           shortened(escape_cue(mark.title), 200) + "\n";
  }
  return out;
}

std::string to_ffmetadata(const Document& document) {
  std::string out = ";FFMETADATA1\ntitle=" + escape_ffmetadata(document.video.name) + "\n";
  for (const ChapterMark& mark : chapter_marks(document)) {
    out += "\n[CHAPTER]\nTIMEBASE=1/1000000\nSTART=" + std::to_string(mark.range.start_us) +
           "\nEND=" + std::to_string(mark.range.end_us) +
           "\ntitle=" + escape_ffmetadata(mark.title) + "\n";
  }
  return out;
}

std::string to_csv(const Document& document) {
  std::string csv = "type,id,label,start,end,confidence,x0,y0,x1,y1,shot\r\n";
  for (const DocumentShot& s : document.shots)
    csv += csv_line({"shot", s.id, to_string(s.transition.kind), s.range, s.confidence, {}, s.id});
  for (const DocumentScene& s : document.scenes)
    csv += csv_line({"scene", s.id, s.title, s.range, {}, {}, s.shots.front()});
  for (const MarkerElement& m : document.markers) add_rows(csv, "marker", "", m.kind, m.instances);
  for (const ObjectElement& o : document.objects)
    add_rows(csv, "object", o.id, o.label, o.instances);
  for (const Person& p : document.people) add_rows(csv, "person", p.id, p.name, p.instances);
  for (const TextElement& t : document.texts) {
    for (const TextInstance& i : t.instances)
      csv += csv_line({"text", t.id, t.text, i.range, t.confidence, bounding_box(i.quad), ""});
  }
  for (const LabelElement& l : document.labels) add_rows(csv, "label", "", l.name, l.instances);
  if (document.transcript)
    for (const DocumentSegment& s : document.transcript->segments)
      csv += csv_line({"transcript", s.id, s.text, s.range, {}, {}, ""});
  return csv;
}

}  // namespace prismvid::document
