#pragma once

#include <string>
#include <vector>

#include "document/build.h"
#include "document/json.h"

// The steps of build_document(). Inside document only.
namespace prismvid::document {

inline TimeRange overlap(const TimeRange& a, const TimeRange& b) {
  return {std::max(a.start_us, b.start_us), std::min(a.end_us, b.end_us)};
}

inline bool is_done(StageStatus status) {
  return status == StageStatus::kDone || status == StageStatus::kCached;
}

/// Ids that are the same for the same stage result and differ when the stage ran otherwise: the
/// start of its cache key and the index in its output. An edit of something that is no longer so
/// then finds no target.
class IdMaker {
 public:
  explicit IdMaker(const Analysis& analysis) : analysis_(analysis) {}
  std::string operator()(const char* stage, const char* prefix, size_t index) const;

 private:
  const Analysis& analysis_;
};

/// Where instances go: cut to the range, put into shots, joined when close.
struct Placement {
  TimeRange range;
  const std::vector<DocumentShot>& shots;
  int64_t merge_gap_us;
};

/// Ids of the shots that the range touches.
std::vector<std::string> shots_in(const TimeRange& range, const std::vector<DocumentShot>& shots);

/// Sorts, cuts to the range, joins what overlaps or is closer than the gap (the more confident one
/// stays the best).
std::vector<Instance> place_instances(std::vector<Instance> instances, const Placement& placement);

/// Length of the union; the instances must be sorted and apart, as place_instances() leaves them.
int64_t seen_us(const std::vector<Instance>& instances);

std::vector<DocumentShot> make_shots(const std::vector<Shot>& shots, const IdMaker& ids);
/// Also tells each shot its scene.
std::vector<DocumentScene> make_scenes(const std::vector<Scene>& scenes, const IdMaker& ids,
                                       std::vector<DocumentShot>& shots);
std::vector<MarkerElement> make_markers(const std::vector<Marker>& markers,
                                        const Placement& placement);
std::vector<ObjectElement> make_objects(const std::vector<ObjectTrack>& tracks, const IdMaker& ids,
                                        const Placement& placement);
std::vector<Person> make_people(const std::vector<FaceTrack>& tracks,
                                const std::vector<FaceIdentity>& identities, const IdMaker& ids,
                                const Placement& placement);
std::vector<TextElement> make_texts(const std::vector<TextTrack>& tracks, const IdMaker& ids,
                                    const Placement& placement);
std::vector<LabelElement> make_labels(const std::vector<std::vector<LabelScore>>& shot_labels,
                                      const std::string& taxonomy, const Placement& placement);
/// Captions, titles of scenes, chapters, summaries, story and highlights, with their ids.
void add_deep_parts(const BuildInput& input, const IdMaker& ids, Document& document);
void add_places(const std::vector<std::vector<LabelScore>>& scene_places,
                std::vector<DocumentScene>& scenes);

}  // namespace prismvid::document
