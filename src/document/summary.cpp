#include <algorithm>
#include <cmath>

#include "document/build_parts.h"
#include "document/words.h"

namespace prismvid::document {

namespace {

constexpr size_t kMost = 3;  // people, places and objects named in one line

void add_people(const Document& document, Summary& summary) {
  size_t named = 0;
  for (const Person& person : document.people) {
    if (person.hidden || named == kMost) continue;
    const int percent = static_cast<int>(std::lround(person.seen_ratio * 100));
    const std::string who = person.name.empty() ? "unknown person " + person.id : person.name;
    summary.text += (named++ == 0 ? "; " : ", ") + who + " on screen " + std::to_string(percent) +
                    " % of the time";
    const Instance& longest = *std::max_element(
        person.instances.begin(), person.instances.end(), [](const Instance& a, const Instance& b) {
          return a.range.duration_us() < b.range.duration_us();
        });
    summary.evidence.push_back({longest.range, "", "", person.id});
  }
}

void add_objects(const Document& document, Summary& summary) {
  for (size_t i = 0; i < std::min(kMost, document.objects.size()); ++i) {
    const ObjectElement& object = document.objects[i];
    summary.text += (i == 0 ? "; " : ", ") + object.label;
    summary.evidence.push_back({object.instances.front().range, "", "", object.id});
  }
}

/// The text that stays longest, subtitles aside: they are many and say little about the whole.
void add_text(const Document& document, Summary& summary) {
  const TextElement* best = nullptr;
  int64_t longest_us = 0;
  for (const TextElement& text : document.texts) {
    int64_t shown_us = 0;
    for (const TextInstance& i : text.instances) shown_us += i.range.duration_us();
    if (text.role == TextRole::kSubtitle || shown_us <= longest_us) continue;
    longest_us = shown_us;
    best = &text;
  }
  if (!best) return;
  summary.text += "; text \"" + shortened(best->text, 60) + "\"";
  summary.evidence.push_back({best->instances.front().range, "", "", best->id});
}

std::string places(const Document& document) {
  std::vector<std::string> names;
  for (const DocumentScene& scene : document.scenes) {
    if (scene.places.empty()) continue;
    const std::string& name = scene.places.front().name;
    if (std::find(names.begin(), names.end(), name) == names.end() && names.size() < kMost)
      names.push_back(name);
  }
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined.empty() ? "" : " (" + joined + ")";
}

}  // namespace

const Summary* best_summary(const Document& document, const std::string& kind) {
  const Summary* best = nullptr;
  for (const Summary& summary : document.summaries) {
    if (summary.kind != kind) continue;
    if (summary.by.value("engine", "") != "template") return &summary;
    best = &summary;
  }
  return best;
}

Summary template_summary(const Document& document) {
  Summary summary;
  summary.by = {{"stage", "summary"}, {"engine", "template"}};
  summary.text = spoken_duration(document.analysis.range.duration_us());
  if (!document.shots.empty()) summary.text += ", " + counted(document.shots.size(), "shot");
  if (!document.scenes.empty())
    summary.text += ", " + counted(document.scenes.size(), "scene") + places(document);
  add_people(document, summary);
  add_objects(document, summary);
  add_text(document, summary);
  summary.text += ".";
  return summary;
}

}  // namespace prismvid::document
