#include <algorithm>
#include <cmath>

#include "core/stage_output.h"
#include "document/build_parts.h"
#include "document/json.h"
#include "document/report_parts.h"

// What the deep stage wrote, in the report.
namespace prismvid::document {

namespace {

constexpr size_t kMostRows = 1000;

std::string when(const Json& item) {
  return "<td class=\"when\">" + short_clock(microseconds(item.at("start"))) + "–" +
         short_clock(microseconds(item.at("end"))) + "</td>";
}

std::string cell(const Json& item, const char* key) {
  return "<td class=\"words\" dir=\"auto\">" + escape_html(item.value(key, "")) + "</td>";
}

/// Rows of a time and some texts.
std::string table(const Json& items, const std::vector<const char*>& keys) {
  if (items.empty()) return "";
  std::string out = "<div class=\"scroll\"><table><tbody>";
  for (size_t i = 0; i < std::min(kMostRows, items.size()); ++i) {
    out += "<tr>" + when(items[i]);
    for (const char* key : keys) out += cell(items[i], key);
    out += "</tr>";
  }
  out += "</tbody></table></div>";
  if (items.size() > kMostRows)
    out += "<p class=\"note\">The other " + counted(items.size() - kMostRows, "line") +
           " are in the JSON export.</p>";
  return out;
}

std::string summaries(const Document& d) {
  std::string out;
  for (const char* kind : {"short", "long"})
    if (const Summary* summary = best_summary(d, kind))
      out += "<p dir=\"auto\">" + escape_html(summary->text) + "</p>";
  const Summary* bullets = best_summary(d, "bullets");
  if (!bullets) return out;
  out += "<ul dir=\"auto\">";
  std::string line;
  for (const char c : bullets->text + "\n") {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (!line.empty()) out += "<li>" + escape_html(line) + "</li>";
    line.clear();
  }
  return out + "</ul>";
}

std::string story(const Document& d) {
  if (!d.story.is_object()) return "";
  if (!d.story.value("applicable", false)) return "<p class=\"none\">The video tells no story.</p>";
  std::string out;
  for (const Json& arc : d.story.at("arcs")) {
    out += "<h3 dir=\"auto\">" + escape_html(arc.value("title", "")) + "</h3>";
    out += table(arc.at("beats"), {"kind", "text"});
  }
  return out;
}

Json level(const Json& captions, const std::string& name) {
  Json list = Json::array();
  for (const Json& caption : captions)
    if (caption.value("level", "") == name) list.push_back(caption);
  return list;
}

/// Who wrote it.
std::string maker(const Json& by) {
  return by.is_object() ? escape_html(by.value("model", "")) : "";
}

std::string maker_of(const Json& list) {
  return list.empty() ? "" : maker(list.front().value("by", Json()));
}

}  // namespace

std::string report_deep(const Document& d) {
  const Summary* summary = best_summary(d, "short");
  std::string out = section("summary", "Summary", summary ? maker(summary->by) : "", summaries(d));
  out += section("chapters", "Chapters", maker_of(d.chapters), table(d.chapters, {"title"}));
  out += section("story", "Story", d.story.is_object() ? maker(d.story.value("by", Json())) : "",
                 story(d));
  out +=
      section("highlights", "Highlights", maker_of(d.highlights), table(d.highlights, {"reason"}));
  const Json scenes = level(d.captions, "scene"), windows = level(d.captions, "window");
  out += section("describe", "Scenes in words", maker_of(scenes), table(scenes, {"text"}));
  out += section("captions", "What happens", maker_of(windows), table(windows, {"text"}));
  return out;
}

}  // namespace prismvid::document
