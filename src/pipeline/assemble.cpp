#include "pipeline/assemble.h"

#include <map>

#include "core/error.h"
#include "core/sha256.h"
#include "document/apply_edits.h"
#include "document/build.h"
#include "document/check.h"
#include "document/stage_values.h"
#include "pipeline/identities.h"
#include "vision/labels/aggregate.h"

namespace prismvid::pipeline {
namespace {

using document::Stage;
using document::StageStatus;

bool has_result(const Stage& stage) { return stage.status == StageStatus::kDone || stage.status == StageStatus::kCached; }

/// A stage's result as far as a document needs it: of thumbnails which tracks have one, so that a byte stands for each; keyframes
/// always have one.
std::optional<StageOutput> load_result(store::Store& store, const Stage& stage) {
  auto json = store.load_stage_json(stage.cache_key);
  if (!json) return std::nullopt;
  StageOutput output{std::move(*json), {}};
  if (stage.name == stage::kObjects || stage.name == stage::kFaces)
    for (std::string& name : store.blob_names(stage.cache_key))
      if (name.starts_with("thumb_")) output.blobs.push_back({std::move(name), {0}});
  return output;
}

/// The deep stages' results are parts of the document as they are.
void read_deep_stage(const std::string& name, const std::string& text, document::BuildInput& input) {
  static const std::map<std::string, std::pair<const char*, document::Json document::BuildInput::*>> kParts = {
      {stage::kCaption, {"captions", &document::BuildInput::captions}},
      {stage::kDescribe, {"scenes", &document::BuildInput::scene_descriptions}},
      {stage::kChapters, {"chapters", &document::BuildInput::chapters}},
      {stage::kSummary, {"summaries", &document::BuildInput::summaries}},
      {stage::kStory, {"story", &document::BuildInput::story}},
      {stage::kHighlights, {"highlights", &document::BuildInput::highlights}}};
  const auto part = kParts.find(name);
  if (part == kParts.end()) return;
  const document::Json json = document::Json::parse(text, nullptr, false);
  check(json.is_object() && json.contains(part->second.first), ErrorCode::kStore, "the stored result of stage '", name,
        "' is damaged: run the analysis again with --force");
  input.*(part->second.second) = json[part->second.first];
}

/// Reads the result of `stage` into its part of the input.
void read_stage(store::Store& store, const Stage& stage, document::BuildInput& input) {
  const auto stored = load_result(store, stage);
  check(stored.has_value(), ErrorCode::kStore, "the stored result of stage '", stage.name, "' is gone: run the analysis again");
  const StageOutput& output = *stored;
  if (stage.name == stage::kShots) {
    document::ShotsValue value = document::decode_shots(output);
    input.shots = std::move(value.shots);
    input.markers = std::move(value.markers);
  } else if (stage.name == stage::kScenes) {
    input.scenes = document::decode_scenes(output);
  } else if (stage.name == stage::kObjects) {
    input.objects = document::decode_objects(output);
  } else if (stage.name == stage::kFaces) {
    input.faces = document::decode_faces(output);
    input.identities = identities_of(store, input.video.id, stage.cache_key, input.faces.size());
  } else if (stage.name == stage::kOcr) {
    input.texts = document::decode_texts(output);
  } else if (stage.name == stage::kLabels) {
    input.shot_labels = vision::labels_of_shots(document::decode_labels(output), input.shots);
  } else if (stage.name == stage::kPlaces) {
    input.scene_places = vision::labels_of_scenes(document::decode_labels(output), input.shots, input.scenes);
  } else if (stage.name == stage::kTranscript) {
    input.transcript = document::decode_transcript(output);
  } else {
    read_deep_stage(stage.name, output.json, input);
  }
}

document::Edit to_edit(const store::EditRecord& record) {
  return {record.id, record.op, record.target, document::Json::parse(record.value_json), record.at, record.user};
}

/// Stores every box of every track, once, and tells where.
document::Artifact keep_tracks(store::Store& store, const document::BuildInput& input) {
  Blob blob{"tracks.bin", document::encode_tracks(document::make_tracks(input))};
  document::Artifact artifact;
  artifact.kind = "tracks";
  artifact.bytes = static_cast<int64_t>(blob.bytes.size());
  Sha256 hash;
  hash.update(blob.bytes);
  artifact.sha256 = hash.hex();
  artifact.href = "tracks/" + artifact.sha256 + "/" + blob.name;
  if (store.find_stage(artifact.sha256)) return artifact;
  store::StageRecord record;
  record.cache_key = artifact.sha256;
  record.video_id = input.video.id;
  record.stage = "tracks";
  record.version = "1";
  record.extra_json = "{}";
  store.put_stage(record, {"{}", {std::move(blob)}});
  return artifact;
}

}  // namespace

document::Document assemble(store::Store& store, const document::Video& video, const document::Analysis& analysis) {
  document::BuildInput input;
  input.video = video;
  input.analysis = analysis;
  for (const Stage& stage : analysis.stages)
    if (has_result(stage) && stage.name != stage::kProbe) read_stage(store, stage, input);
  if (!input.shots.empty())
    input.analysis.range = {input.shots.front().range.start_us, input.shots.back().range.end_us};
  for (const std::string& scope : {std::string(), video.id})
    for (const store::EditRecord& edit : store.edits(scope)) input.edits.push_back(to_edit(edit));
  document::Document document = document::build_document(input);
  document::apply_edits(document);
  document.artifacts.push_back(keep_tracks(store, input));
  const std::vector<std::string> breaches = document::check_document(document);
  std::string list;
  for (const std::string& breach : breaches) list += "; " + breach;
  check(breaches.empty(), ErrorCode::kInternal, "the analysis contradicts itself", list);
  return document;
}

}  // namespace prismvid::pipeline
