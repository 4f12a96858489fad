#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/stage_output.h"
#include "document/build_parts.h"
#include "document/export_parts.h"
#include "document/report_parts.h"

namespace prismvid::document {

namespace {

constexpr size_t kMostShots = 600;  // pictures of more make a page no browser likes
constexpr size_t kMostRows = 500;

std::string percent(double share) {
  return std::to_string(std::lround(share * 100)) + " %";
}

std::string tenths(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

/// The picture as a data URI, or a blank of the same shape where it is gone.
std::string image(const ExportContext& context, const std::string& href, const std::string& what) {
  const auto jpeg = context.picture && !href.empty() ? context.picture(href)
                                                     : std::optional<std::vector<uint8_t>>();
  if (!jpeg || jpeg->empty()) return "<div class=\"blank\"></div>";
  const std::string_view bytes(reinterpret_cast<const char*>(jpeg->data()), jpeg->size());
  return "<img loading=\"lazy\" alt=\"" + escape_html(what) + "\" src=\"data:image/jpeg;base64," +
         base64(bytes) + "\">";
}

std::string fact(const std::string& name, const std::string& value) {
  if (value.empty()) return "";
  return "<div><dt>" + name + "</dt><dd>" + escape_html(value) + "</dd></div>";
}

std::string frame_rate(const Picture& picture) {
  if (picture.frame_rate.value() <= 0) return "";
  char text[48];
  std::snprintf(text, sizeof text, "%.6g frames a second%s", rounded(picture.frame_rate.value(), 3),
                picture.variable_frame_rate ? ", variable" : "");
  return text;
}

std::string facts(const Document& d) {
  const Picture& p = d.video.picture;
  std::string out = "<dl class=\"facts\">";
  out += fact("Length", spoken_duration(d.video.duration_us));
  const TimeRange& range = d.analysis.range;
  if (range.start_us > 0 || range.end_us < d.video.duration_us)
    out += fact("Analysed", short_clock(range.start_us) + "–" + short_clock(range.end_us));
  out +=
      fact("Picture", std::to_string(p.width) + " × " + std::to_string(p.height) + ", " + p.codec);
  out += fact("Frame rate", frame_rate(p));
  out += fact("File", d.video.container + ", " + spoken_bytes(d.video.bytes));
  if (!d.video.audio.empty()) out += fact("Sound", counted(d.video.audio.size(), "track"));
  out += fact("Analysed on", d.analysis.created_at.substr(0, 10));
  if (d.analysis.wall_seconds > 0) {
    out += fact("Took", spoken_duration(std::llround(d.analysis.wall_seconds * 1e6)) + " (" +
                            tenths(d.analysis.realtime_factor) + " × real time)");
  }
  return out + "</dl>";
}

std::string banners(const Document& d) {
  std::string out;
  if (d.analysis.degraded) {
    out +=
        "<div class=\"banner\" role=\"note\"><strong>This analysis is not complete.</strong><ul>";
    for (const std::string& name : d.analysis.degraded->missing) {
      const std::string reason = reason_of(d, name);
      out +=
          "<li>" + escape_html(name) + ": " + (reason.empty() ? "did not run" : reason) + "</li>";
    }
    out += "</ul></div>";
  }
  if (!d.analysis.warnings.empty()) {
    out += "<div class=\"banner\" role=\"note\"><strong>About this file</strong><ul>";
    for (const Warning& warning : d.analysis.warnings)
      out += "<li>" + escape_html(warning.message) + "</li>";
    out += "</ul></div>";
  }
  return out;
}

std::string header(const Document& d) {
  std::string out =
      "<header><p class=\"kicker\">PrismVid report</p><h1>" + escape_html(d.video.name) + "</h1>";
  if (const Summary* line = best_summary(d, "line"))
    out += "<p class=\"lead\">" + escape_html(line->text) + "</p>";
  return out + facts(d) + banners(d) + "</header>";
}

std::string gallery(const Document& d, const ExportContext& context) {
  std::string cards;
  for (size_t i = 0; i < std::min(kMostShots, d.shots.size()); ++i) {
    const DocumentShot& shot = d.shots[i];
    const std::string name = "Shot " + std::to_string(i + 1);
    const auto best = std::max_element(
        shot.keyframes.begin(), shot.keyframes.end(),
        [](const DocumentKeyframe& a, const DocumentKeyframe& b) { return a.score < b.score; });
    const std::string href = best == shot.keyframes.end() ? "" : best->image;
    std::string how = shot.transition.kind == TransitionKind::kStart
                          ? ""
                          : std::string(" · ") + to_string(shot.transition.kind);
    if (!shot.framing.empty() && shot.framing != "unknown") {
      std::string framing = shot.framing;
      std::replace(framing.begin(), framing.end(), '_', ' ');
      how += " · " + framing;
    }
    cards += "<figure>" + image(context, href, name) + "<figcaption><b>" + name + "</b>" +
             short_clock(shot.range.start_us) + "–" + short_clock(shot.range.end_us) + " · " +
             spoken_duration(shot.range.duration_us()) + escape_html(how) +
             "</figcaption></figure>";
  }
  if (cards.empty()) return "";
  std::string out = "<div class=\"grid\">" + cards + "</div>";
  if (d.shots.size() > kMostShots)
    out += "<p class=\"note\">The other " + counted(d.shots.size() - kMostShots, "shot") +
           " are in the JSON and CSV exports.</p>";
  return out;
}

std::string people(const Document& d, const ExportContext& context) {
  std::string cards;
  for (const Person& person : d.people) {
    if (person.hidden) continue;
    const std::string name = person.name.empty() ? "Unknown" : person.name;
    cards += "<figure>" + image(context, person.thumb, name) + "<figcaption><b>" +
             escape_html(name) + "</b>" + escape_html(person.id) + "<br>" +
             spoken_duration(person.seen_us) + " (" + percent(person.seen_ratio) +
             ")<br>first at " + short_clock(person.instances.front().range.start_us) +
             "</figcaption></figure>";
  }
  return cards.empty() ? "" : "<div class=\"grid faces\">" + cards + "</div>";
}

std::string objects(const Document& d, const ExportContext& context) {
  std::string cards;
  for (const ObjectElement& object : d.objects) {
    const auto best = std::max_element(object.instances.begin(), object.instances.end(),
                                       [](const Instance& a, const Instance& b) {
                                         return a.confidence.value_or(0) < b.confidence.value_or(0);
                                       });
    const std::string thumb = best != object.instances.end() && best->best ? best->best->thumb : "";
    cards += "<figure>" + image(context, thumb, object.label) + "<figcaption><b>" +
             escape_html(object.label) + "</b>" + spoken_duration(object.seen_us) + " in " +
             counted(object.instances.size(), "part") + " · " + percent(object.confidence) +
             "</figcaption></figure>";
  }
  return cards.empty() ? "" : "<div class=\"grid things\">" + cards + "</div>";
}

std::string times(const std::vector<TextInstance>& instances) {
  std::string out = short_clock(instances.front().range.start_us) + "–" +
                    short_clock(instances.front().range.end_us);
  if (instances.size() > 1) out += " and " + counted(instances.size() - 1, "more time");
  return out;
}

std::string texts(const Document& d) {
  if (d.texts.empty()) return "";
  std::string out =
      "<div class=\"scroll\"><table><thead><tr><th>Text</th><th>Role</th><th>When</th>"
      "<th class=\"number\">Sure</th></tr></thead><tbody>";
  for (size_t i = 0; i < std::min(kMostRows, d.texts.size()); ++i) {
    const TextElement& text = d.texts[i];
    out += "<tr><td class=\"words\" dir=\"auto\">" + escape_html(text.text) + "</td><td>" +
           to_string(text.role) + "</td><td class=\"when\">" + times(text.instances) +
           "</td><td class=\"number\">" + percent(text.confidence) + "</td></tr>";
  }
  out += "</tbody></table></div>";
  if (d.texts.size() > kMostRows)
    out += "<p class=\"note\">The other " + counted(d.texts.size() - kMostRows, "text") +
           " are in the JSON and CSV exports.</p>";
  return out;
}

std::string labels(const Document& d) {
  std::string bars;
  for (const LabelElement& label : d.labels) {
    bars += "<div class=\"bar\"><span>" + escape_html(label.name) +
            "</span><span class=\"track\"><i style=\"width:" +
            std::to_string(std::lround(label.confidence * 100)) +
            "%\"></i></span><span class=\"number\">" + percent(label.confidence) + "</span></div>";
  }
  return bars.empty() ? "" : "<div class=\"bars\">" + bars + "</div>";
}

std::string transcript(const Document& d) {
  if (!d.transcript || d.transcript->segments.empty()) return "";
  std::string out = "<details><summary>" + counted(d.transcript->segments.size(), "line") +
                    "</summary><div class=\"scroll\"><table><tbody>";
  for (const DocumentSegment& s : d.transcript->segments) {
    out += "<tr><td class=\"when\">" + short_clock(s.range.start_us) +
           "</td><td class=\"words\" dir=\"auto\">" +
           escape_html(s.speaker.empty() ? s.text : s.speaker + ": " + s.text) + "</td></tr>";
  }
  return out + "</tbody></table></div></details>";
}

std::string stage_row(const Stage& stage) {
  const std::string status = to_string(stage.status);
  std::string model = stage.model ? stage.model->id : "";
  if (stage.model && !stage.model->backend.empty()) model += " (" + stage.model->backend + ")";
  std::string out =
      "<tr><td>" + escape_html(stage.name) + "</td><td><span class=\"state " + status + "\">" +
      status + "</span></td><td>" + escape_html(model) + "</td><td class=\"number\">" +
      std::to_string(stage.frames) + "</td><td class=\"number\">" +
      tenths(static_cast<double>(stage.wall_ms) / 1000) + " s</td><td class=\"number\">";
  if (stage.ms_per_frame_p50) out += tenths(*stage.ms_per_frame_p50);
  if (stage.ms_per_frame_p95) out += " / " + tenths(*stage.ms_per_frame_p95);
  out += "</td></tr>";
  if (stage.error)
    out += "<tr><td></td><td colspan=\"5\" class=\"note\">" + escape_html(stage.error->message) +
           "</td></tr>";
  return out;
}

std::string stages(const Document& d) {
  std::string out =
      "<div class=\"scroll\"><table><thead><tr><th>Stage</th><th>Status</th><th>Model</th>"
      "<th class=\"number\">Frames</th><th class=\"number\">Time</th>"
      "<th class=\"number\">ms a frame, p50 / p95</th></tr></thead><tbody>";
  for (const Stage& stage : d.analysis.stages) out += stage_row(stage);
  return out + "</tbody></table></div>";
}

/// A section of one stage: its content, or why there is none.
std::string stage_section(const Document& d, const std::string& stage, const std::string& title,
                          const std::string& note, const std::string& content) {
  const std::string reason = reason_of(d, stage);
  if (!content.empty() || reason.empty()) return section(stage, title, note, content);
  return section(stage, title, "", "<p class=\"none\">" + reason + "</p>");
}

}  // namespace

std::string short_clock(int64_t t_us) {
  const long long t_s = t_us / 1'000'000;
  char text[48];
  if (t_s >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", t_s / 3600, t_s / 60 % 60, t_s % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld.%lld", t_s / 60, t_s % 60,
                  static_cast<long long>(t_us / 100'000 % 10));
  return text;
}

std::string section(const std::string& id, const std::string& title, const std::string& note,
                    const std::string& content) {
  if (content.empty()) return "";
  return "<section id=\"" + id + "\"><div class=\"head\"><h2>" + title +
         "</h2><span class=\"note\">" + note + "</span></div>" + content + "</section>";
}

std::string reason_of(const Document& document, const std::string& stage) {
  const Stage* found = find_stage(document, stage);
  if (!found || is_done(found->status)) return "";
  const std::string status = to_string(found->status);
  return found->error ? status + ". " + escape_html(found->error->message) : status;
}

std::string to_html(const Document& d, const ExportContext& context) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "img-src data:; style-src 'unsafe-inline'\"><meta name=\"color-scheme\" "
      "content=\"light dark\"><title>" +
      escape_html(d.video.name) + " · PrismVid</title><style>" + report_style() +
      "</style></head><body><main>";
  out += header(d);
  out += section("timeline", "Timeline", "hover for details", report_timeline(d));
  out += report_deep(d);
  out += stage_section(d, stage::kShots, "Shots", counted(d.shots.size(), "shot"),
                       gallery(d, context));
  out += stage_section(d, stage::kFaces, "People", "by time on screen", people(d, context));
  out += stage_section(d, stage::kObjects, "Objects", "by time on screen", objects(d, context));
  out += stage_section(d, stage::kOcr, "Text on screen", counted(d.texts.size(), "text"), texts(d));
  out +=
      stage_section(d, stage::kLabels, "Labels", "what shots show, most certain first", labels(d));
  out += section("transcript", "Transcript",
                 d.transcript ? escape_html(d.transcript->language) : "", transcript(d));
  out += section("stages", "How it was made", "", stages(d));
  out +=
      "<footer>Video " + escape_html(d.video.id) + ", SHA-256 " + escape_html(d.video.sha256) +
      "<br>Made by PrismVid, schema " + kSchema +
      ". This page holds everything in itself and loads nothing.</footer></main></body></html>\n";
  return out;
}

}  // namespace prismvid::document
