#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "document/document.h"
#include "pipeline/options.h"
#include "vision/models/manifest.h"

namespace prismvid::pipeline {

/// One stage before it runs: all that its result depends on.
struct StagePlan {
  std::string name;
  std::string version;
  std::vector<vision::ModelManifest> models;  // none for stages without a network
  std::string backend = "native";             // as exact as the cache key needs it
  nlohmann::json parameters = nlohmann::json::object();
  std::vector<std::string> upstream;          // names of the stages it reads
  std::optional<document::StageError> unavailable;
  std::string cache_key;
  std::optional<document::StageModel> deep_model;  // of the deep stages, in place of `models`

  std::string model_hash() const;
};

/// Cache key of a stage whose upstream stages have these keys.
std::string stage_cache_key(const StagePlan& plan, const AnalyzeOptions& options, const std::string& content_sha256,
                            const std::vector<std::string>& upstream_keys);

/// The stages that `options` ask for, in running order, each with its cache key. A stage whose model is not installed
/// is in the list, unavailable, with the command that mends it. `video` is where its subtitle files lie.
std::vector<StagePlan> plan_stages(const AnalyzeOptions& options, const vision::ModelRegistry& models,
                                   const std::string& content_sha256, const std::filesystem::path& video);

/// The stage of that name, nullptr when it was not asked for.
const StagePlan* find_plan(const std::vector<StagePlan>& plans, const std::string& name);

}  // namespace prismvid::pipeline
