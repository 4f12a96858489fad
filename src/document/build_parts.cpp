#include "document/build_parts.h"

#include <algorithm>
#include <map>

#include "core/stage_output.h"

namespace prismvid::document {

namespace {

constexpr size_t kKeyDigits = 6;
constexpr size_t kPlacesPerScene = 3;

float unit(float value) {
  return std::clamp(value, 0.0f, 1.0f);
}

void join(Instance& into, const Instance& other) {
  into.range.end_us = std::max(into.range.end_us, other.range.end_us);
  if (!other.track.empty()) {
    if (into.tracks.empty()) into.tracks.push_back(into.track);
    into.tracks.push_back(other.track);
  }
  if (!other.confidence || (into.confidence && *into.confidence >= *other.confidence)) return;
  into.confidence = other.confidence;
  into.track = other.track;
  into.best = other.best;
}

Quad clipped_quad(const Quad& quad) {
  Quad inside = quad;
  for (Point& p : inside) p = {unit(p.x), unit(p.y)};
  return inside;
}

Best best_of(const std::vector<TrackPoint>& points, size_t best, const TimeRange& range,
             const std::string& thumb) {
  if (points.empty()) return {range.start_us, {}, thumb};
  const TrackPoint& point = points[std::min(best, points.size() - 1)];
  return {point.pts_us, clipped(point.box), thumb};
}

std::string thumb_of(const char* stage, size_t track, const std::vector<uint8_t>& jpeg) {
  return jpeg.empty() ? "" : std::string(stage) + "/" + thumbnail_blob(track);
}

template <typename Element>
void sort_by_seen(std::vector<Element>& elements) {
  std::stable_sort(elements.begin(), elements.end(),
                   [](const Element& a, const Element& b) { return a.seen_us > b.seen_us; });
}

}  // namespace

std::string IdMaker::operator()(const char* stage, const char* prefix, size_t index) const {
  std::string key(kKeyDigits, '0');
  for (const Stage& s : analysis_.stages)
    if (s.name == stage && s.cache_key.size() >= kKeyDigits)
      key = s.cache_key.substr(0, kKeyDigits);
  return std::string(prefix) + "_" + key + std::to_string(index);
}

std::vector<std::string> shots_in(const TimeRange& range, const std::vector<DocumentShot>& shots) {
  std::vector<std::string> ids;
  // Shots are sorted: start at the first that ends after the range begins.
  auto shot =
      std::upper_bound(shots.begin(), shots.end(), range.start_us,
                       [](int64_t t_us, const DocumentShot& s) { return t_us < s.range.end_us; });
  for (; shot != shots.end() && shot->range.start_us < range.end_us; ++shot)
    ids.push_back(shot->id);
  return ids;
}

std::vector<Instance> place_instances(std::vector<Instance> instances, const Placement& placement) {
  std::stable_sort(instances.begin(), instances.end(), [](const Instance& a, const Instance& b) {
    return a.range.start_us < b.range.start_us;
  });
  std::vector<Instance> placed;
  for (Instance& instance : instances) {
    instance.range = overlap(instance.range, placement.range);
    if (instance.range.duration_us() <= 0) continue;
    if (instance.confidence) instance.confidence = unit(*instance.confidence);
    const bool close = !placed.empty() && instance.range.start_us - placed.back().range.end_us <
                                              placement.merge_gap_us;
    if (close)
      join(placed.back(), instance);
    else
      placed.push_back(std::move(instance));
  }
  for (Instance& instance : placed) instance.shots = shots_in(instance.range, placement.shots);
  return placed;
}

int64_t seen_us(const std::vector<Instance>& instances) {
  int64_t sum = 0;
  for (const Instance& instance : instances) sum += instance.range.duration_us();
  return sum;
}

std::vector<DocumentShot> make_shots(const std::vector<Shot>& shots, const IdMaker& ids) {
  std::vector<DocumentShot> made;
  size_t keyframes = 0;
  for (size_t i = 0; i < shots.size(); ++i) {
    const Shot& shot = shots[i];
    DocumentShot& s = made.emplace_back();
    s.id = ids(stage::kShots, "s", i);
    s.range = shot.range;
    s.frame_start = shot.frame_start;
    s.frame_end = shot.frame_end;
    s.confidence = unit(shot.confidence);
    s.motion = shot.motion;
    s.transition = shot.transition;
    for (const Keyframe& keyframe : shot.keyframes) {
      const size_t number = keyframes++;
      s.keyframes.push_back({ids(stage::kShots, "k", number), keyframe.pts_us, keyframe.frame,
                             unit(keyframe.score),
                             std::string(stage::kShots) + "/" + keyframe_blob(number)});
    }
  }
  return made;
}

std::vector<DocumentScene> make_scenes(const std::vector<Scene>& scenes, const IdMaker& ids,
                                       std::vector<DocumentShot>& shots) {
  std::vector<DocumentScene> made;
  for (size_t i = 0; i < scenes.size(); ++i) {
    DocumentScene scene;
    scene.id = ids(stage::kScenes, "sc", i);
    float best = -1;
    for (auto n = static_cast<size_t>(scenes[i].first_shot);
         n <= static_cast<size_t>(scenes[i].last_shot) && n < shots.size(); ++n) {
      DocumentShot& shot = shots[n];
      if (scene.shots.empty()) scene.range.start_us = shot.range.start_us;
      scene.range.end_us = shot.range.end_us;
      scene.shots.push_back(shot.id);
      shot.scene = scene.id;
      for (const DocumentKeyframe& keyframe : shot.keyframes) {
        if (keyframe.score <= best) continue;
        best = keyframe.score;
        scene.keyframe = keyframe.id;
      }
    }
    if (!scene.shots.empty()) made.push_back(std::move(scene));
  }
  return made;
}

std::vector<MarkerElement> make_markers(const std::vector<Marker>& markers,
                                        const Placement& placement) {
  std::map<MarkerKind, std::vector<Instance>> kinds;
  for (const Marker& marker : markers) kinds[marker.kind].emplace_back().range = marker.range;
  std::vector<MarkerElement> made;
  // Two freezes a frame apart are two: nothing is joined here but what overlaps.
  const Placement exact{placement.range, placement.shots, 0};
  for (auto& [kind, instances] : kinds) {
    auto placed = place_instances(std::move(instances), exact);
    if (!placed.empty()) made.push_back({to_string(kind), std::move(placed)});
  }
  return made;
}

std::vector<ObjectElement> make_objects(const std::vector<ObjectTrack>& tracks, const IdMaker& ids,
                                        const Placement& placement) {
  std::map<std::string, std::vector<Instance>> labels;
  std::map<std::string, size_t> first;
  for (size_t i = 0; i < tracks.size(); ++i) {
    const ObjectTrack& track = tracks[i];
    first.try_emplace(track.label, i);
    Instance& instance = labels[track.label].emplace_back();
    instance.range = track.range;
    instance.confidence = track.confidence;
    instance.track = ids(stage::kObjects, "ot", i);
    instance.best = best_of(track.points, track.best, track.range,
                            thumb_of(stage::kObjects, i, track.thumbnail_jpeg));
  }
  std::vector<ObjectElement> made;
  for (auto& [label, instances] : labels) {
    ObjectElement object;
    object.id = ids(stage::kObjects, "o", first[label]);
    object.label = label;
    object.instances = place_instances(std::move(instances), placement);
    object.seen_us = seen_us(object.instances);
    for (const Instance& i : object.instances)
      object.confidence = std::max(object.confidence, i.confidence.value_or(0));
    if (!object.instances.empty()) made.push_back(std::move(object));
  }
  sort_by_seen(made);
  return made;
}

std::vector<Person> make_people(const std::vector<FaceTrack>& tracks,
                                const std::vector<FaceIdentity>& identities, const IdMaker& ids,
                                const Placement& placement) {
  std::map<std::string, Person> people;
  std::map<std::string, float> best;
  for (size_t i = 0; i < identities.size(); ++i) {
    const FaceIdentity& identity = identities[i];
    if (identity.person_id.empty()) continue;
    Person& person = people[identity.person_id];
    person.id = identity.person_id;
    person.name = identity.name;
    person.hidden = identity.hidden;
    const std::string thumb = thumb_of(stage::kFaces, i, tracks[i].thumbnail_jpeg);
    Instance& instance = person.instances.emplace_back();
    instance.range = tracks[i].range;
    instance.track = ids(stage::kFaces, "ft", i);
    instance.best = best_of(tracks[i].points, tracks[i].best, tracks[i].range, thumb);
    if (identity.match) {
      instance.confidence = identity.match->score;
      if (!person.match || person.match->score < identity.match->score)
        person.match = identity.match;
    }
    const auto [known, is_first] = best.try_emplace(person.id, -1.0f);
    if (!thumb.empty() && tracks[i].quality > known->second) {
      known->second = tracks[i].quality;
      person.thumb = thumb;
    }
  }
  std::vector<Person> made;
  for (auto& [id, person] : people) {
    person.instances = place_instances(std::move(person.instances), placement);
    person.seen_us = seen_us(person.instances);
    person.seen_ratio = placement.range.duration_us() > 0
                            ? static_cast<double>(person.seen_us) /
                                  static_cast<double>(placement.range.duration_us())
                            : 0;
    if (!person.instances.empty()) made.push_back(std::move(person));
  }
  sort_by_seen(made);
  return made;
}

std::vector<TextElement> make_texts(const std::vector<TextTrack>& tracks, const IdMaker& ids,
                                    const Placement& placement) {
  // The same words in the same role are one text, seen several times.
  std::map<std::pair<std::string, TextRole>, size_t> known;
  std::vector<TextElement> made;
  std::vector<size_t> order(tracks.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return tracks[a].range.start_us < tracks[b].range.start_us;
  });
  for (size_t i : order) {
    const TextTrack& track = tracks[i];
    const TimeRange range = overlap(track.range, placement.range);
    if (range.duration_us() <= 0 || track.text.empty()) continue;
    const auto [place, is_new] = known.try_emplace({track.text, track.role}, made.size());
    if (is_new)
      made.push_back({ids(stage::kOcr, "x", i), track.text, track.language, 0, track.role, 0, {}});
    TextElement& text = made[place->second];
    text.confidence = std::max(text.confidence, unit(track.confidence));
    text.observations += std::max(1, track.observations);
    auto& instances = text.instances;
    if (!instances.empty() &&
        range.start_us - instances.back().range.end_us < placement.merge_gap_us) {
      instances.back().range.end_us = std::max(instances.back().range.end_us, range.end_us);
      continue;
    }
    instances.push_back(
        {range, clipped_quad(track.quad), track.angle_degrees, ids(stage::kOcr, "tt", i)});
  }
  return made;
}

std::vector<LabelElement> make_labels(const std::vector<std::vector<LabelScore>>& shot_labels,
                                      const std::string& taxonomy, const Placement& placement) {
  std::map<std::string, std::vector<Instance>> found;
  for (size_t n = 0; n < std::min(shot_labels.size(), placement.shots.size()); ++n) {
    for (const LabelScore& score : shot_labels[n]) {
      Instance& instance = found[score.name].emplace_back();
      instance.range = placement.shots[n].range;
      instance.confidence = score.confidence;
    }
  }
  std::vector<LabelElement> made;
  for (auto& [name, instances] : found) {
    LabelElement label{name, taxonomy, 0, place_instances(std::move(instances), placement)};
    for (const Instance& i : label.instances)
      label.confidence = std::max(label.confidence, i.confidence.value_or(0));
    if (!label.instances.empty()) made.push_back(std::move(label));
  }
  std::stable_sort(made.begin(), made.end(), [](const LabelElement& a, const LabelElement& b) {
    return a.confidence > b.confidence;
  });
  return made;
}

void add_places(const std::vector<std::vector<LabelScore>>& scene_places,
                std::vector<DocumentScene>& scenes) {
  for (size_t n = 0; n < std::min(scene_places.size(), scenes.size()); ++n) {
    const auto& places = scene_places[n];
    for (size_t i = 0; i < std::min(places.size(), kPlacesPerScene); ++i)
      scenes[n].places.push_back({places[i].name, unit(places[i].confidence)});
  }
}

}  // namespace prismvid::document
