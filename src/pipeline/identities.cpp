#include "pipeline/identities.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "document/stage_values.h"
#include "vision/faces/face_analyzer.h"

namespace prismvid::pipeline {

using store::FaceRecord;

vision::KnownPerson& KnownPeople::of(const std::string& id) {
  const auto found = std::find(ids.begin(), ids.end(), id);
  if (found != ids.end()) return people[static_cast<size_t>(found - ids.begin())];
  ids.push_back(id);
  people.push_back({static_cast<vision::PersonId>(ids.size() - 1), {}, {}});
  return people.back();
}

KnownPeople known_people(store::Store& store, const std::string& space) {
  KnownPeople known;
  for (const FaceRecord& face : store.faces_in_space(space))
    if (!face.person_id.empty() && !face.vector.empty()) known.of(face.person_id).faces.push_back(face.vector);
  for (const store::NegativeRecord& negative : store.negatives(space)) known.of(negative.person_id).negatives.push_back(negative.vector);
  return known;
}

void match_people(store::Store& store, const std::string& video_id, const std::string& cache_key,
                  const vision::ModelManifest& embedder) {
  const auto current = store.faces_of_video(video_id);
  if (!current.empty() && current.front().cache_key == cache_key) return;
  const auto output = store.load_stage(cache_key);
  check(output.has_value(), ErrorCode::kStore, "the stored faces are gone: run the analysis again");
  const std::vector<FaceRecord> faces = store.put_faces(video_id, cache_key, embedder.id, document::decode_faces(*output));
  std::vector<FaceRecord> open;
  std::copy_if(faces.begin(), faces.end(), std::back_inserter(open), [](const FaceRecord& face) { return face.person_id.empty(); });
  if (open.empty()) return;
  std::vector<vision::UnknownFace> unknown;
  for (const FaceRecord& face : open) unknown.push_back({face.vector, face.quality});
  const KnownPeople known = known_people(store, embedder.id);
  const auto first_new = static_cast<vision::PersonId>(known.ids.size());
  vision::IdentityOptions options;
  options.threshold = vision::same_person_cosine(embedder);
  const auto decided = vision::assign_people(known.people, unknown, first_new, options);
  std::vector<store::Assignment> assignments;
  for (size_t i = 0; i < open.size(); ++i) {
    store::Assignment assignment{open[i].id, {}, std::nullopt};
    if (decided[i].person && *decided[i].person < first_new) {
      assignment.person_id = known.ids[static_cast<size_t>(*decided[i].person)];
    } else if (decided[i].person) {
      assignment.new_person = static_cast<int>(*decided[i].person - first_new);
    }
    assignments.push_back(assignment);
  }
  store.assign_faces(assignments);
}

std::vector<document::FaceIdentity> identities_of(store::Store& store, const std::string& video_id,
                                                  const std::string& cache_key, size_t count) {
  std::vector<document::FaceIdentity> identities(count);
  std::map<std::string, std::optional<store::PersonRecord>> people;  // a person has many tracks
  for (const FaceRecord& face : store.faces_of_video(video_id)) {
    if (face.cache_key != cache_key || face.person_id.empty() || face.track >= static_cast<int>(count)) continue;
    document::FaceIdentity& identity = identities[static_cast<size_t>(face.track)];
    identity.person_id = face.person_id;
    const auto [known, is_new] = people.try_emplace(face.person_id);
    if (is_new) known->second = store.find_person(face.person_id);
    if (const auto& person = known->second) {
      identity.name = person->name;
      identity.hidden = person->hidden;
    }
  }
  return identities;
}

}  // namespace prismvid::pipeline
