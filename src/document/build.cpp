#include "document/build.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/stage_output.h"
#include "document/build_parts.h"

namespace prismvid::document {

namespace {

Video with_id(Video video) {
  if (video.id.empty()) video.id = video_id(video.sha256);
  return video;
}

DocumentTranscript make_transcript(const Transcript& transcript, const TimeRange& range,
                                   const IdMaker& ids) {
  DocumentTranscript made{
      transcript.language.empty() ? "und" : transcript.language, to_string(transcript.origin), {}};
  for (size_t i = 0; i < transcript.segments.size(); ++i) {
    const TranscriptSegment& segment = transcript.segments[i];
    const TimeRange inside = overlap(segment.range, range);
    if (inside.duration_us() <= 0) continue;
    made.segments.push_back(
        {ids(stage::kTranscript, "g", i), inside, segment.text, segment.speaker});
  }
  return made;
}

/// The largest face around the keyframe says how close the camera is.
std::string framing_of(const DocumentShot& shot, const std::vector<FaceTrack>& faces) {
  constexpr int64_t kNear_us = 1'000'000;
  float height = 0;
  for (const FaceTrack& face : faces) {
    for (const TrackPoint& point : face.points) {
      if (!shot.range.contains(point.pts_us)) continue;
      if (std::abs(point.pts_us - shot.keyframes.front().t_us) > kNear_us) continue;
      height = std::max(height, point.box.height());
    }
  }
  if (height <= 0) return "unknown";
  return height >= 0.6f    ? "extreme_close_up"
         : height >= 0.3f  ? "close_up"
         : height >= 0.12f ? "medium"
                           : "wide";
}

bool has_result(const Analysis& analysis, const std::string& name) {
  return std::any_of(analysis.stages.begin(), analysis.stages.end(), [&](const Stage& stage) {
    return stage.name == name && is_done(stage.status);
  });
}

void add_framing(const BuildInput& input, Document& document) {
  if (!has_result(input.analysis, stage::kFaces)) return;
  for (DocumentShot& shot : document.shots)
    if (!shot.keyframes.empty()) shot.framing = framing_of(shot, input.faces);
}

void add_people_to_scenes(Document& document) {
  for (DocumentScene& scene : document.scenes) {
    for (const Person& person : document.people) {
      const bool seen = std::any_of(
          person.instances.begin(), person.instances.end(),
          [&](const Instance& i) { return overlap(i.range, scene.range).duration_us() > 0; });
      if (seen) scene.people.push_back(person.id);
    }
  }
}

}  // namespace

std::string video_id(const std::string& sha256) {
  return "v_" + sha256.substr(0, 12);
}

Document build_document(const BuildInput& input, const BuildOptions& options) {
  check(input.identities.empty() || input.identities.size() == input.faces.size(),
        ErrorCode::kInvalidArgument, input.identities.size(), " identities for ",
        input.faces.size(), " face tracks");
  const IdMaker ids(input.analysis);
  Document document;
  document.video = with_id(input.video);
  document.analysis = input.analysis;
  settle_status(document.analysis);
  document.shots = make_shots(input.shots, ids);
  document.scenes = make_scenes(input.scenes, ids, document.shots);
  const Placement placement{input.analysis.range, document.shots, options.merge_gap_us};
  document.markers = make_markers(input.markers, placement);
  document.objects = make_objects(input.objects, ids, placement);
  document.people = make_people(input.faces, input.identities, ids, placement);
  document.texts = make_texts(input.texts, ids, placement);
  document.labels = make_labels(input.shot_labels, input.label_taxonomy, placement);
  add_places(input.scene_places, document.scenes);
  if (input.transcript)
    document.transcript = make_transcript(*input.transcript, input.analysis.range, ids);
  add_framing(input, document);
  add_people_to_scenes(document);
  document.embeddings = input.embeddings;
  document.edits = input.edits;
  document.summaries.push_back(template_summary(document));
  add_deep_parts(input, ids, document);
  return document;
}

std::vector<Track> make_tracks(const BuildInput& input) {
  const IdMaker ids(input.analysis);
  std::vector<Track> tracks;
  for (size_t i = 0; i < input.objects.size(); ++i) {
    const ObjectTrack& track = input.objects[i];
    tracks.push_back(
        {TrackKind::kObject, ids(stage::kObjects, "ot", i), track.label, track.points});
  }
  for (size_t i = 0; i < input.faces.size(); ++i)
    tracks.push_back({TrackKind::kFace, ids(stage::kFaces, "ft", i), "", input.faces[i].points});
  for (size_t i = 0; i < input.texts.size(); ++i) {
    const TextTrack& track = input.texts[i];
    // A text keeps its place: where it begins and where it ends is all there is to say.
    const Box box = clipped(bounding_box(track.quad));
    tracks.push_back({TrackKind::kText,
                      ids(stage::kOcr, "tt", i),
                      track.text,
                      {{track.range.start_us, box, track.confidence},
                       {track.range.end_us, box, track.confidence}}});
  }
  return tracks;
}

namespace {

const Stage* stage_of(const Analysis& analysis, const std::string& name) {
  const auto found = std::find_if(analysis.stages.begin(), analysis.stages.end(),
                                  [&](const Stage& stage) { return stage.name == name; });
  return found == analysis.stages.end() ? nullptr : &*found;
}

std::string reason_text(const Stage* stage) {
  if (!stage) return "did not run";
  return stage->error ? stage->error->message : to_string(stage->status);
}

/// The schema's codes speak of the deep stage or of any; a failure outweighs what is not there.
std::string degraded_code(const std::vector<const Stage*>& stages) {
  std::string code = "stage_unavailable";
  for (const Stage* stage : stages) {
    if (!stage) continue;
    if (stage->error && stage->error->code.starts_with("deep_")) return stage->error->code;
    if (stage->status == StageStatus::kFailed) code = "stage_failed";
  }
  return code;
}

/// "caption, story: no model.", stages with one reason together.
std::string degraded_message(const std::vector<std::string>& names,
                             const std::vector<const Stage*>& stages) {
  std::vector<std::pair<std::string, std::string>> reasons;  // reason, names
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string reason = reason_text(stages[i]);
    const auto same = std::find_if(reasons.begin(), reasons.end(),
                                   [&](const auto& r) { return r.first == reason; });
    if (same == reasons.end())
      reasons.push_back({reason, names[i]});
    else
      same->second += ", " + names[i];
  }
  std::string message;
  for (const auto& [reason, who] : reasons)
    message += (message.empty() ? "" : " ") + who + ": " + reason + ".";
  return message;
}

}  // namespace

void settle_status(Analysis& analysis) {
  std::vector<std::string> missing;
  std::vector<const Stage*> stages;
  for (const std::string& feature : analysis.features) {
    const Stage* stage = stage_of(analysis, feature);
    if (stage && is_done(stage->status)) continue;
    missing.push_back(feature);
    stages.push_back(stage);
  }
  analysis.degraded.reset();
  if (!missing.empty())
    analysis.degraded =
        Degraded{degraded_code(stages), degraded_message(missing, stages), missing, "manual"};
  analysis.status = missing.empty()                              ? "complete"
                    : missing.size() < analysis.features.size() ? "partial"
                                                                : "failed";
  if (analysis.wall_seconds > 0) {
    analysis.realtime_factor =
        static_cast<double>(analysis.range.duration_us()) / 1e6 / analysis.wall_seconds;
  }
}

namespace {

bool names(const Json& value, const std::string& id, const std::string& name) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text == id || (!name.empty() && text.find(name) != std::string::npos);
  }
  return value.is_structured() && std::any_of(value.begin(), value.end(), [&](const Json& item) {
           return names(item, id, name);
         });
}

void drop_naming(Json& list, const std::string& id, const std::string& name) {
  Json kept = Json::array();
  for (const Json& item : list)
    if (!names(item, id, name)) kept.push_back(item);
  list = kept;
}

bool uses(const Summary& summary, const std::string& id, const std::string& name) {
  if (!name.empty() && summary.text.find(name) != std::string::npos) return true;
  return std::any_of(summary.evidence.begin(), summary.evidence.end(),
                     [&](const Evidence& e) { return e.of == id; });
}

}  // namespace

Document without_person(Document document, const std::string& person_id) {
  std::string name;
  for (const Person& person : document.people)
    if (person.id == person_id) name = person.name;
  std::erase_if(document.people, [&](const Person& p) { return p.id == person_id; });
  for (Person& person : document.people)
    if (person.match && person.match->runner_up == person_id) person.match->runner_up.clear();
  for (DocumentScene& scene : document.scenes) std::erase(scene.people, person_id);
  for (Json* list :
       {&document.captions, &document.chapters, &document.highlights, &document.moderation})
    drop_naming(*list, person_id, name);
  if (names(document.story, person_id, name)) document.story = nullptr;
  std::erase_if(document.edits, [&](const Edit& e) {
    return e.target == person_id || names(e.value, person_id, name);
  });
  std::erase_if(document.summaries, [&](const Summary& s) {
    return s.by.value("engine", "") == "template" || uses(s, person_id, name);
  });
  document.summaries.insert(document.summaries.begin(), template_summary(document));
  return document;
}

}  // namespace prismvid::document
