#include "pipeline/plan.h"

#include <algorithm>
#include <limits>

#include "core/sha256.h"
#include "core/stage_output.h"
#include "media/subtitles.h"
#include "pipeline/stage_versions.h"
#include "store/cache_key.h"
#include "vision/apple/apple_vision.h"
#include "vision/labels/label_classifier.h"
#include "vision/models/int8_ranges.h"
#include "vision/network/network.h"
#include "vision/objects/object_detector.h"

namespace prismvid::pipeline {
namespace {

using nlohmann::json;

/// What a kind of stage is made of, whatever the options.
struct StageKind {
  const char* name;
  const char* version;
  std::vector<const char*> tasks;  // a model for each must be installed
  std::vector<const char*> upstream;
  bool sampled;                    // depends on the sample rate
  bool always_exact;               // computes in f32 whatever the options
};

const std::vector<StageKind>& stage_kinds() {
  static const std::vector<StageKind> kinds = {
      {stage::kShots, kShotsVersion, {}, {}, true, false},
      {stage::kScenes, kScenesVersion, {}, {stage::kShots}, false, false},
      {stage::kObjects, kObjectsVersion, {"object_detection"}, {stage::kShots}, true, false},
      {stage::kFaces, kFacesVersion, {"face_detection", "face_landmarks", "face_embedding"}, {stage::kShots}, true, false},
      {stage::kOcr, kOcrVersion, {"text_detection", "text_recognition", "text_orientation"}, {stage::kShots}, true, false},
      {stage::kLabels, kLabelsVersion, {"image_labels"}, {stage::kShots}, false, true},
      {stage::kPlaces, kLabelsVersion, {"scene_class"}, {stage::kShots}, false, true},
      {stage::kTranscript, kTranscriptVersion, {}, {}, false, false},
  };
  return kinds;
}

/// Why a stage cannot run, and the command that mends it.
std::string missing_model_text(const std::string& task, const std::string& wanted) {
  if (!wanted.empty()) return "no detector '" + wanted + "' is installed: 'prismvid models list' shows what there is";
  if (task == "object_detection") return vision::no_object_detector_text();
  if (task == "image_labels") return vision::no_label_model_text();
  if (task == "scene_class") return vision::no_scene_class_model_text();
  return "no " + task + " model is installed: run 'make setup', or 'prismvid models install'";
}

/// What Apple's Vision framework does instead of a network of ours.
bool is_done_by_apple(const std::string& task) {
  return task.starts_with("text_") || task == "face_detection" || task == "image_labels";
}

void choose_models(StagePlan& plan, const StageKind& kind, const AnalyzeOptions& options,
                   const vision::ModelRegistry& registry) {
  std::vector<std::string> tasks(kind.tasks.begin(), kind.tasks.end());
  if (plan.name == stage::kShots && options.accurate_shots) tasks.push_back("shot_detection");
  for (const std::string& task : tasks) {
    if (options.apple_vision && is_done_by_apple(task)) {
      plan.parameters["apple_vision"] = vision::apple_vision_backend();
      continue;
    }
    const std::string wanted = task == "object_detection" ? options.detector : std::string();
    if (auto model = registry.find(task, wanted)) {
      plan.models.push_back(std::move(*model));
    } else {
      plan.unavailable = document::StageError{"model_not_installed", missing_model_text(task, wanted), false};
    }
  }
}

StagePlan plan_stage(const StageKind& kind, const AnalyzeOptions& options, const vision::ModelRegistry& registry) {
  StagePlan plan;
  plan.name = kind.name;
  plan.version = kind.version;
  plan.upstream.assign(kind.upstream.begin(), kind.upstream.end());
  choose_models(plan, kind, options, registry);
  if (kind.sampled) {
    const Rational rate = options.sample_rate;
    plan.parameters["fps"] = std::to_string(rate.numerator) + "/" + std::to_string(rate.denominator);
  }
  if (plan.name == stage::kShots) plan.parameters["accurate"] = options.accurate_shots;
  if (!plan.models.empty()) {
    const bool exact = options.exact || kind.always_exact;
    plan.parameters["exact"] = exact;
    const bool has_int8 = std::any_of(plan.models.begin(), plan.models.end(), [](const auto& model) { return !vision::int8_ranges(model).empty(); });
    plan.backend = vision::backend_name(exact ? vision::Precision::kExact : vision::Precision::kFast, has_int8);
  } else if (plan.parameters.contains("apple_vision")) {
    plan.backend = vision::apple_vision_backend();
  }
  return plan;
}

}  // namespace

std::string StagePlan::model_hash() const {
  if (deep_model) return deep_model->sha256;
  if (models.empty()) return {};
  if (models.size() == 1) return models.front().content_hash();
  std::string all;
  for (const vision::ModelManifest& model : models) all += model.content_hash();
  return sha256_hex(all);
}

std::string stage_cache_key(const StagePlan& plan, const AnalyzeOptions& options, const std::string& content_sha256,
                            const std::vector<std::string>& upstream_keys) {
  store::CacheKeyInput input;
  input.content_sha256 = content_sha256;
  input.range = options.range.value_or(TimeRange{0, std::numeric_limits<int64_t>::max()});
  input.stage = plan.name;
  input.stage_version = plan.version;
  input.model_sha256 = plan.model_hash();
  input.backend = plan.backend;
  input.parameters = plan.parameters.dump();
  input.upstream = upstream_keys;
  return store::cache_key(input);
}

std::vector<StagePlan> plan_stages(const AnalyzeOptions& options, const vision::ModelRegistry& registry,
                                   const std::string& content_sha256, const std::filesystem::path& video) {
  std::vector<StagePlan> plans;
  for (const StageKind& kind : stage_kinds()) {
    if (!options.features.contains(kind.name)) continue;
    StagePlan plan = plan_stage(kind, options, registry);
    if (plan.name == stage::kTranscript) plan.parameters["sidecars"] = sha256_hex(media::sidecar_fingerprint(video));
    std::vector<std::string> upstream_keys;
    for (const std::string& name : plan.upstream)
      if (const StagePlan* upstream = find_plan(plans, name)) upstream_keys.push_back(upstream->cache_key);
    plan.cache_key = stage_cache_key(plan, options, content_sha256, upstream_keys);
    plans.push_back(std::move(plan));
  }
  return plans;
}

const StagePlan* find_plan(const std::vector<StagePlan>& plans, const std::string& name) {
  const auto found = std::find_if(plans.begin(), plans.end(), [&](const StagePlan& plan) { return plan.name == name; });
  return found == plans.end() ? nullptr : &*found;
}

}  // namespace prismvid::pipeline
