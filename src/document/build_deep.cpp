#include <algorithm>
#include <cctype>

#include "core/stage_output.h"
#include "document/build_parts.h"
#include "document/json_fields.h"

// What the deep stages wrote, as parts of the document.
namespace prismvid::document {

namespace {

/// `item` with its id first.
Json with_id(const std::string& id, const Json& item) {
  Json json = {{"id", id}};
  json.update(item);
  return json;
}

TimeRange range_of(const Json& json) {
  return {microseconds(at(json, "start")), microseconds(at(json, "end"))};
}

/// The shot that holds most of a range; empty where none does.
std::string shot_of(const Document& document, const TimeRange& range) {
  std::string best;
  int64_t most_us = 0;
  for (const DocumentShot& shot : document.shots) {
    const int64_t shared_us = overlap(shot.range, range).duration_us();
    if (shared_us <= most_us) continue;
    most_us = shared_us;
    best = shot.id;
  }
  return best;
}

/// Results outlive the ids of shots, scenes and people, so these are put in when a document is
/// made.
void add_captions(const BuildInput& input, const IdMaker& ids, Document& document) {
  for (size_t i = 0; i < input.captions.size(); ++i) {
    Json caption = with_id(ids(stage::kCaption, "c", i), input.captions[i]);
    for (Json& evidence : caption["evidence"])
      put_if_said(evidence, "shot", shot_of(document, range_of(evidence)));
    document.captions.push_back(std::move(caption));
  }
}

/// A description is a caption of its scene; the title is the scene's.
void add_descriptions(const BuildInput& input, const IdMaker& ids, Document& document) {
  for (size_t i = 0; i < input.scene_descriptions.size(); ++i) {
    Json caption = input.scene_descriptions[i];
    const auto scene = caption.at("scene").get<size_t>();
    if (scene < document.scenes.size())
      document.scenes[scene].title = caption.at("title").get<std::string>();
    caption.erase("scene");
    caption.erase("title");
    caption["level"] = "scene";
    document.captions.push_back(with_id(ids(stage::kDescribe, "cs", i), caption));
  }
}

void add_chapters(const BuildInput& input, const IdMaker& ids, Document& document) {
  for (size_t i = 0; i < input.chapters.size(); ++i) {
    Json chapter = with_id(ids(stage::kChapters, "ch", i), input.chapters[i]);
    const TimeRange range = range_of(chapter);
    std::vector<std::string> scenes;
    for (const DocumentScene& scene : document.scenes)
      if (range.contains(scene.range.start_us + scene.range.duration_us() / 2))
        scenes.push_back(scene.id);
    put_if_said(chapter, "scenes", scenes);
    document.chapters.push_back(std::move(chapter));
  }
}

bool same_name(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// Ids of the people whose names an arc tells.
std::vector<std::string> people_of(const Json& arc, const Document& document) {
  std::vector<std::string> ids;
  for (const Json& name : arc.value("cast", Json::array()))
    for (const Person& person : document.people)
      if (!person.hidden && !person.name.empty() && same_name(person.name, name.get<std::string>()))
        ids.push_back(person.id);
  return ids;
}

void add_story(const BuildInput& input, const IdMaker& ids, Document& document) {
  document.story = input.story;
  if (!document.story.is_object()) return;
  Json arcs = Json::array();
  for (size_t i = 0; i < input.story.at("arcs").size(); ++i) {
    Json arc = with_id(ids(stage::kStory, "arc", i), input.story.at("arcs")[i]);
    put_if_said(arc, "people", people_of(arc, document));
    arcs.push_back(std::move(arc));
  }
  document.story["arcs"] = arcs;
}

}  // namespace

void add_deep_parts(const BuildInput& input, const IdMaker& ids, Document& document) {
  add_captions(input, ids, document);
  add_descriptions(input, ids, document);
  add_chapters(input, ids, document);
  for (const Json& summary : input.summaries) document.summaries.push_back(read_summary(summary));
  add_story(input, ids, document);
  document.highlights = input.highlights;
}

}  // namespace prismvid::document
