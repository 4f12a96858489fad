#include <algorithm>
#include <cstdio>

#include "core/stage_output.h"
#include "document/json.h"
#include "document/report_parts.h"

namespace prismvid::document {

namespace {

constexpr size_t kPeopleLanes = 6;
constexpr size_t kObjectLanes = 6;
constexpr size_t kLabelLanes = 5;
constexpr double kWidth = 10000;  // of a lane, in its own units

struct Block {
  TimeRange range;
  std::string title;
  const char* style = "";
};

/// Marks stand at whole seconds.
std::string axis_clock(int64_t t_us) {
  const std::string clock = short_clock(t_us);
  return clock.substr(0, clock.find('.'));
}

class Axis {
 public:
  explicit Axis(const TimeRange& range) : range_(range) {}
  double position(int64_t t_us) const {
    return static_cast<double>(t_us - range_.start_us) /
           static_cast<double>(std::max<int64_t>(1, range_.duration_us()));
  }

  /// Five to ten round marks.
  std::string marks() const {
    static const int64_t steps_s[] = {1,   2,   5,   10,   15,   30,   60,   120,
                                      300, 600, 900, 1800, 3600, 7200, 14400};
    int64_t step_us = 0;
    for (int64_t step : steps_s)
      if (step_us == 0 && range_.duration_us() / (step * 1'000'000) < 9) step_us = step * 1'000'000;
    if (step_us == 0) step_us = 86'400'000'000;
    std::string out = "<div class=\"axis\" aria-hidden=\"true\">";
    const int64_t first = (range_.start_us + step_us - 1) / step_us * step_us;
    for (int64_t t = first; t < range_.end_us; t += step_us) {
      // The last mark would run out of the page.
      if (position(t) > 0.97) break;
      char place[32];
      std::snprintf(place, sizeof place, "%.3f%%", position(t) * 100);
      out += std::string("<span style=\"left:") + place + "\">" + axis_clock(t) + "</span>";
    }
    return out + "</div>";
  }

 private:
  TimeRange range_;
};

std::string lane(const std::string& name, const std::string& css, const Axis& axis,
                 const std::vector<Block>& blocks) {
  if (blocks.empty()) return "";
  std::string out = "<div class=\"lane\"><div class=\"name\" title=\"" + escape_html(name) + "\">" +
                    escape_html(shortened(name, 40)) + "</div><svg class=\"" + css +
                    "\" viewBox=\"0 0 10000 100\" preserveAspectRatio=\"none\" role=\"img\" "
                    "aria-label=\"" +
                    escape_html(name) + "\">";
  for (const Block& block : blocks) {
    const double x = axis.position(block.range.start_us) * kWidth;
    // The shortest instance still has to be seen.
    const double width = std::max(12.0, axis.position(block.range.end_us) * kWidth - x);
    char rectangle[160];
    std::snprintf(rectangle, sizeof rectangle,
                  "<rect x=\"%.0f\" y=\"0\" width=\"%.0f\" height=\"100\" class=\"%s\"><title>", x,
                  width, block.style);
    out += rectangle + escape_html(block.title) + "</title></rect>";
  }
  return out + "</svg></div>";
}

std::string span_text(const TimeRange& range) {
  return short_clock(range.start_us) + "–" + short_clock(range.end_us);
}

std::vector<Block> blocks_of(const std::string& name, const std::vector<Instance>& instances) {
  std::vector<Block> blocks;
  for (const Instance& i : instances) blocks.push_back({i.range, name + ", " + span_text(i.range)});
  return blocks;
}

std::string structure_lanes(const Document& document, const Axis& axis) {
  std::vector<Block> scenes, shots;
  for (size_t i = 0; i < document.scenes.size(); ++i) {
    const DocumentScene& scene = document.scenes[i];
    scenes.push_back({scene.range, "Scene " + std::to_string(i + 1) + ", " + span_text(scene.range),
                      i % 2 == 0 ? "even" : "odd"});
  }
  for (size_t i = 0; i < document.shots.size(); ++i) {
    const DocumentShot& shot = document.shots[i];
    shots.push_back({shot.range, "Shot " + std::to_string(i + 1) + ", " + span_text(shot.range),
                     i % 2 == 0 ? "even" : "odd"});
  }
  return lane("Scenes", "scenes", axis, scenes) + lane("Shots", "shots", axis, shots);
}

std::vector<Block> blocks_of_texts(const Json& items, const char* key) {
  std::vector<Block> blocks;
  for (const Json& item : items)
    blocks.push_back({time_range(item), shortened(item.value(key, ""), 120),
                      blocks.size() % 2 == 0 ? "even" : "odd"});
  return blocks;
}

std::string deep_lanes(const Document& document, const Axis& axis) {
  Json captions = Json::array(), beats = Json::array();
  for (const Json& caption : document.captions)
    if (caption.value("level", "") == "window") captions.push_back(caption);
  if (document.story.is_object())
    for (const Json& arc : document.story.at("arcs"))
      for (const Json& beat : arc.at("beats")) beats.push_back(beat);
  return lane("Chapters", "scenes", axis, blocks_of_texts(document.chapters, "title")) +
         lane("Captions", "speech", axis, blocks_of_texts(captions, "text")) +
         lane("Story", "labels", axis, blocks_of_texts(beats, "text"));
}

std::string people_lanes(const Document& document, const Axis& axis) {
  std::string out;
  size_t shown = 0;
  for (const Person& person : document.people) {
    if (person.hidden || shown++ == kPeopleLanes) continue;
    const std::string name = person.name.empty() ? "Unknown " + person.id : person.name;
    out += lane(name, "people", axis, blocks_of(name, person.instances));
  }
  return out;
}

std::string text_lanes(const Document& document, const Axis& axis) {
  std::vector<Block> blocks, speech;
  for (const TextElement& text : document.texts)
    for (const TextInstance& i : text.instances)
      blocks.push_back({i.range, shortened(text.text, 80)});
  if (document.transcript)
    for (const DocumentSegment& s : document.transcript->segments)
      speech.push_back({s.range, shortened(s.text, 80)});
  return lane("Text", "texts", axis, blocks) + lane("Transcript", "speech", axis, speech);
}

}  // namespace

std::string report_timeline(const Document& document) {
  const Axis axis(document.analysis.range);
  std::string lanes = structure_lanes(document, axis) + deep_lanes(document, axis) +
                      people_lanes(document, axis) + text_lanes(document, axis);
  for (size_t i = 0; i < std::min(kObjectLanes, document.objects.size()); ++i) {
    const ObjectElement& object = document.objects[i];
    lanes += lane(object.label, "objects", axis, blocks_of(object.label, object.instances));
  }
  for (size_t i = 0; i < std::min(kLabelLanes, document.labels.size()); ++i) {
    const LabelElement& label = document.labels[i];
    lanes += lane(label.name, "labels", axis, blocks_of(label.name, label.instances));
  }
  for (const MarkerElement& marker : document.markers)
    lanes += lane(marker.kind, "markers", axis, blocks_of(marker.kind, marker.instances));
  if (lanes.empty()) return "";
  return "<div class=\"timeline\">" + axis.marks() + lanes + "</div>";
}

}  // namespace prismvid::document
