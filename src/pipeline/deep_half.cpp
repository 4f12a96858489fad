#include "pipeline/deep_half.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "core/memory.h"
#include "core/sha256.h"
#include "core/stage_output.h"
#include "deep/facts.h"
#include "deep/language.h"
#include "deep/prompts.h"
#include "deep/windows.h"
#include "document/json.h"
#include "pipeline/clock.h"
#include "pipeline/stage_versions.h"
#include "pipeline/stored_parts.h"

namespace prismvid::pipeline {
namespace {

using document::Json;
using document::StageError;
using document::StageStatus;

/// What a stage asks with and does.
struct DeepKind {
  const char* name;
  const char* prompt;
  deep::StageResult (*look)(const deep::Work&);
  deep::StageResult (*read)(const deep::Work&, const std::vector<deep::Caption>&);
};

const std::vector<DeepKind>& deep_kinds() {
  static const std::vector<DeepKind> kinds = {
      {stage::kCaption, "captions", deep::write_captions, nullptr},
      {stage::kDescribe, "scene", deep::describe_scenes, nullptr},
      {stage::kChapters, "chapters", nullptr, deep::write_chapters},
      {stage::kSummary, "summary", nullptr, deep::write_summaries},
      {stage::kStory, "story", nullptr, deep::write_story},
      {stage::kHighlights, "highlights", nullptr, deep::write_highlights},
  };
  return kinds;
}

const DeepKind& kind_of(const std::string& name) {
  return *std::find_if(deep_kinds().begin(), deep_kinds().end(),
                       [&](const DeepKind& kind) { return kind.name == name; });
}

/// The times and facts that a looking stage shows, so that a changed text or name runs it anew and
/// nothing else does.
nlohmann::json shown_parameters(const document::Document& known, const deep::Feeding& feeding) {
  std::string shown;
  for (const TimeRange& window : deep::cut_windows(known.shots, feeding))
    shown += std::to_string(window.start_us) + "-" + std::to_string(window.end_us) + "\n" +
             deep::known_facts(known, window) + "\n";
  for (const document::DocumentScene& scene : known.scenes)
    shown += std::to_string(scene.range.start_us) + "-" + std::to_string(scene.range.end_us) + "\n";
  return {{"shown", sha256_hex(shown)},
          {"fps", feeding.frames_per_second},
          {"frame_tokens", feeding.frame_tokens},
          {"keyframes", feeding.keyframes},
          {"keyframe_tokens", feeding.keyframe_tokens}};
}

StagePlan plan_deep_stage(const DeepKind& kind, const AnalyzeOptions& options,
                          const deep::ModelChoice& choice, const document::Document& known) {
  StagePlan plan;
  plan.name = kind.name;
  plan.version = kDeepVersion;
  plan.deep_model = choice.card;
  plan.backend = choice.card.backend;
  if (kind.look) plan.parameters = shown_parameters(known, choice.feeding);
  if (kind.read) plan.upstream = {stage::kCaption};
  if (kind.read) plan.parameters["reading_tokens"] = choice.feeding.reading_tokens;
  plan.parameters["language"] = options.deep.language;
  plan.parameters["prompt"] = deep::prompt(kind.prompt).sha256;
  return plan;
}

uint64_t free_memory() {
#ifdef _SC_AVPHYS_PAGES
  // What the page cache holds can be had too; Linux tells both only in /proc.
  if (std::FILE* file = std::fopen("/proc/meminfo", "r")) {
    char line[256];
    unsigned long long kilobytes = 0;
    while (std::fgets(line, sizeof line, file) != nullptr)
      if (std::sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1) break;
    std::fclose(file);
    if (kilobytes > 0) return std::min<uint64_t>(kilobytes * 1024, machine_memory_bytes());
  }
#endif
  return machine_memory_bytes();
}

std::string megabytes(uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MB";
}

/// Why the model cannot be used, in the document's words.
StageError unavailable(const Error& error) {
  return {"deep_unavailable", error.what(), false};
}

/// Weights that leave no room to work are refused before they are read.
std::optional<StageError> too_large(deep::ModelProvider& models, const deep::ModelChoice& choice) {
  if (choice.card.device != "cpu") return std::nullopt;
  const uint64_t needed = models.bytes_to_open(choice), free = free_memory();
  if (needed < free) return std::nullopt;
  return StageError{"deep_out_of_memory",
                    choice.card.id + " needs about " + megabytes(needed) + ", " + megabytes(free) +
                        " are free: name a smaller or more quantised one with --model ('prismvid "
                        "models convert' makes one)",
                    true};
}

}  // namespace

std::vector<std::string> deep_stages(const std::set<std::string>& features) {
  std::vector<std::string> stages;
  for (const DeepKind& kind : deep_kinds()) {
    const bool needed =
        features.contains(kind.name) ||
        (kind.name == std::string(stage::kCaption) &&
         std::any_of(deep_kinds().begin(), deep_kinds().end(), [&](const DeepKind& other) {
           return other.read && features.contains(other.name);
         }));
    if (needed) stages.push_back(kind.name);
  }
  return stages;
}

namespace {

/// One run over the stages.
class DeepRun {
 public:
  DeepRun(store::Store& store, deep::ModelProvider& models, const AnalyzeOptions& options,
          const std::filesystem::path& video, const document::Document& known, StageLedger& ledger,
          const DeepHooks& hooks)
      : store_(store),
        models_(models),
        options_(options),
        video_(video),
        known_(known),
        ledger_(ledger),
        hooks_(hooks),
        parts_(store, known.video.id, options.force) {}

  void run() {
    const std::vector<std::string> stages = deep_stages(options_.deep.features);
    const auto choice = choose(stages);
    if (!choice) return;
    plan(stages, *choice);
    const bool any_missing = std::any_of(
        stages.begin(), stages.end(), [&](const auto& name) { return ledger_.is_missing(name); });
    if (!any_missing) return;
    const auto model = open(stages, *choice);
    if (!model) return;
    for (const std::string& name : stages)
      if (ledger_.is_missing(name)) run_stage(kind_of(name), *model);
  }

 private:
  std::optional<deep::ModelChoice> choose(const std::vector<std::string>& stages) {
    try {
      deep::language_name(options_.deep.language);
      return models_.choose(options_.deep.model);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInvalidArgument) throw;
      for (const std::string& name : stages) {
        StagePlan plan;
        plan.name = name;
        plan.version = kDeepVersion;
        ledger_.add(plan, false);
        give_up(name, unavailable(error));
      }
      return std::nullopt;
    }
  }

  void plan(const std::vector<std::string>& stages, const deep::ModelChoice& choice) {
    for (const std::string& name : stages) {
      StagePlan plan = plan_deep_stage(kind_of(name), options_, choice, known_);
      std::vector<std::string> upstream_keys;
      for (const std::string& upstream : plan.upstream)
        upstream_keys.push_back(ledger_.plan(upstream).cache_key);
      plan.cache_key = stage_cache_key(plan, options_, known_.video.sha256, upstream_keys);
      ledger_.add(plan, options_.force);
    }
  }

  std::shared_ptr<deep::Model> open(const std::vector<std::string>& stages,
                                    const deep::ModelChoice& choice) {
    std::optional<StageError> problem = too_large(models_, choice);
    if (!problem) {
      hooks_.on_start("model");
      try {
        return models_.open(choice);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kCancelled) throw;
        problem = unavailable(error);
      } catch (const std::bad_alloc&) {
        problem = StageError{"deep_out_of_memory",
                             "out of memory while " + choice.card.id + " was loaded", true};
      }
    }
    for (const std::string& name : stages)
      if (ledger_.is_missing(name)) give_up(name, *problem);
    return nullptr;
  }

  void give_up(const std::string& name, const StageError& error) {
    ledger_.mark(
        name,
        options_.deep.mode == DeepMode::kOn ? StageStatus::kFailed : StageStatus::kUnavailable,
        error);
  }

  deep::Work work_for(deep::Model& model) {
    return {video_,
            known_,
            options_.deep.language,
            model,
            parts_,
            [this](const std::string& href) -> std::optional<std::vector<uint8_t>> {
              const auto place = document::locate_picture(known_, href);
              return place ? store_.load_blob(place->cache_key, place->blob) : std::nullopt;
            },
            hooks_.on_progress,
            hooks_.stop};
  }

  void run_stage(const DeepKind& kind, deep::Model& model) {
    if (kind.read && !ledger_.has_result(stage::kCaption)) {
      ledger_.mark(kind.name, StageStatus::kUnavailable,
                   {"stage_failed", "there are no captions to read", false});
      return;
    }
    hooks_.on_start(kind.name);
    const Clock clock;
    try {
      const deep::Work work = work_for(model);
      keep(kind.name, kind.look ? kind.look(work) : kind.read(work, stored_captions()), clock);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kStore) throw;
      ledger_.mark_failed(kind.name, error);
    } catch (const std::bad_alloc&) {
      ledger_.mark(kind.name, StageStatus::kFailed, {"deep_out_of_memory", "out of memory", true});
    }
  }

  std::vector<deep::Caption> stored_captions() {
    const auto text = store_.load_stage_json(ledger_.plan(stage::kCaption).cache_key);
    check(text.has_value(), ErrorCode::kStore,
          "the stored captions are gone: run the analysis again");
    const std::vector<deep::Caption> captions =
        deep::read_captions(Json::parse(*text, nullptr, false));
    check(!captions.empty(), ErrorCode::kModel, "the captions are empty: there is nothing to read");
    return captions;
  }

  void keep(const std::string& name, const deep::StageResult& result, const Clock& clock) {
    StageTiming timing;
    timing.wall_ms = clock.ms_since_start();
    timing.frames = result.frames;
    timing.warnings = result.warnings;
    timing.tokens_in = result.tokens_in;
    timing.tokens_out = result.tokens_out;
    ledger_.keep(name, {document::to_text(result.json), {}}, timing);
  }

  store::Store& store_;
  deep::ModelProvider& models_;
  const AnalyzeOptions& options_;
  const std::filesystem::path& video_;
  const document::Document& known_;
  StageLedger& ledger_;
  const DeepHooks& hooks_;
  StoredParts parts_;
};

}  // namespace

void DeepHalf::run(const std::filesystem::path& video, const document::Document& known,
                   StageLedger& ledger, const DeepHooks& hooks) {
  DeepRun(store_, models_, options_, video, known, ledger, hooks).run();
}

}  // namespace prismvid::pipeline
