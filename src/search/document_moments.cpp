#include "search/document_moments.h"

#include <algorithm>
#include <cstdlib>

#include "core/words.h"
#include "document/json.h"

namespace prismvid::search {
namespace {

using document::Document;
using document::Json;

class Collector {
 public:
  explicit Collector(const Document& document) : document_(document) {}

  std::vector<store::MomentRecord> collect() {
    add_told();
    add_shown();
    return std::move(moments_);
  }

 private:
  /// What the deep stage wrote.
  void add_told() {
    for (const Json& caption : document_.captions)
      add("caption", caption.at("id"), document::time_range(caption), caption.at("text"));
    for (const document::DocumentScene& scene : document_.scenes)
      add("scene", scene.id, scene.range, scene.title);
    for (const Json& chapter : document_.chapters)
      add("chapter", chapter.at("id"), document::time_range(chapter),
          joined(chapter.at("title"), chapter.value("summary", "")));
    for (const document::Summary& summary : document_.summaries)
      add("summary", summary.kind, document_.analysis.range, summary.text);
    if (document_.story.is_object())
      for (const Json& arc : document_.story.value("arcs", Json::array()))
        for (const Json& beat : arc.at("beats"))
          add("story", arc.at("id"), document::time_range(beat), beat.at("text"));
    for (const Json& highlight : document_.highlights)
      add("highlight", "", document::time_range(highlight), highlight.at("reason"));
  }

  /// What the fast stage found.
  void add_shown() {
    for (const document::TextElement& text : document_.texts)
      for (const auto& instance : text.instances) add("text", text.id, instance.range, text.text);
    if (document_.transcript)
      for (const document::DocumentSegment& segment : document_.transcript->segments)
        add("speech", segment.id, segment.range, segment.text);
    for (const document::LabelElement& label : document_.labels)
      for (const auto& instance : label.instances)
        add("label", label.name, instance.range, label.name);
    for (const document::DocumentScene& scene : document_.scenes)
      for (const document::Place& place : scene.places)
        add("place", place.name, scene.range, place.name);
    for (const document::ObjectElement& object : document_.objects)
      for (const auto& instance : object.instances)
        add("object", object.id, instance.range, object.label);
  }

  void add(const char* kind, const std::string& of, TimeRange range, const std::string& text) {
    std::string terms = terms_of(text);
    if (terms.empty()) return;
    range.end_us = std::max(range.end_us, range.start_us + 1);  // an empty range overlaps nothing
    moments_.push_back({kind, of, range, text, std::move(terms), keyframe_near(range)});
  }

  static std::string joined(const std::string& title, const std::string& summary) {
    return summary.empty() ? title : title + ": " + summary;
  }

  /// The keyframe nearest to the middle of the range, in the shot that is on then.
  std::string keyframe_near(const TimeRange& range) const {
    const int64_t middle_us = range.start_us + range.duration_us() / 2;
    std::string best;
    int64_t nearest_us = INT64_MAX;
    for (const document::DocumentShot& shot : document_.shots) {
      if (!shot.range.contains(middle_us)) continue;
      for (const document::DocumentKeyframe& keyframe : shot.keyframes) {
        const int64_t distance_us = std::abs(keyframe.t_us - middle_us);
        if (distance_us >= nearest_us) continue;
        nearest_us = distance_us;
        best = keyframe.id;
      }
    }
    return best;
  }

  const Document& document_;
  std::vector<store::MomentRecord> moments_;
};

}  // namespace

std::string terms_of(std::string_view text) {
  std::string terms;
  for (const Word& word : split_words(text)) terms += (terms.empty() ? "" : " ") + word.stem;
  return terms;
}

std::vector<store::MomentRecord> moments_of(const Document& document) {
  return Collector(document).collect();
}

}  // namespace prismvid::search
