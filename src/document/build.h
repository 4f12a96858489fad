#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document/document.h"
#include "document/tracks.h"

namespace prismvid::document {

/// Who a face track is, as the library's identity step decided.
struct FaceIdentity {
  std::string person_id;  // empty: not decided, the track is then in no person
  std::string name;       // empty: not named
  bool hidden = false;
  std::optional<Match> match;
};

/// All that a document is made from. A stage that gave nothing leaves its vector empty and says why
/// in analysis.stages. `analysis` comes with id, profile, features, range, stages, warnings and
/// times; status, degraded and realtime_factor are worked out here.
struct BuildInput {
  Video video;
  Analysis analysis;
  std::vector<Shot> shots;
  std::vector<Scene> scenes;
  std::vector<Marker> markers;
  std::vector<ObjectTrack> objects;
  std::vector<FaceTrack> faces;
  std::vector<FaceIdentity> identities;  // one for each of `faces`, or empty
  std::vector<TextTrack> texts;
  std::vector<std::vector<LabelScore>> shot_labels;  // of each shot, best first
  std::string label_taxonomy = "imagenet-1k";
  std::vector<std::vector<LabelScore>> scene_places;  // of each scene, best first
  std::optional<Transcript> transcript;
  // The deep stages' parts of the document, still without ids; story may be null.
  Json captions = Json::array();
  Json scene_descriptions = Json::array();
  Json chapters = Json::array();
  Json summaries = Json::array();
  Json story;
  Json highlights = Json::array();
  std::vector<Embedding> embeddings;
  std::vector<Edit> edits;
};

struct BuildOptions {
  int64_t merge_gap_us = 500'000;  // instances of one element closer than this are one
};

/// The sidecar's tracks of a result, with the ids that its document uses.
std::vector<Track> make_tracks(const BuildInput& input);

/// Elements with instances from the stages' results. Pure; the same input gives the same document.
/// Throws Error(kInvalidArgument) when identities and faces differ in number.
Document build_document(const BuildInput& input, const BuildOptions& options = {});

/// "v_" and the start of the content hash.
std::string video_id(const std::string& sha256);

/// A document without any trace of a person: element, evidence, generated text that used it.
/// Template summaries are written anew.
Document without_person(Document document, const std::string& person_id);

/// Works out status and degraded from features and stages.
void settle_status(Analysis& analysis);

/// The summary line of engine `template`, with its evidence.
Summary template_summary(const Document& document);

/// The summary of a kind to show first: a model's before the template's; nullptr when there is
/// none.
const Summary* best_summary(const Document& document, const std::string& kind);

}  // namespace prismvid::document
