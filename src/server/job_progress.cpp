#include "server/job_progress.h"

#include <algorithm>
#include <cmath>

#include "document/json.h"
#include "pipeline/deep_half.h"

namespace prismvid::server {
namespace {

using document::Json;

// Shares of the time a whole analysis takes, as measured on two cores: looking at frames and, in the
// deep half, captions and scenes are most of it.
constexpr double kFramesWeight = 10;
constexpr double kSmallWeight = 0.3;
constexpr double kLookingWeight = 40;
constexpr double kReadingWeight = 10;
constexpr double kLargest = 0.999;  // 1 is for the end

}  // namespace

JobProgress::JobProgress(const pipeline::AnalyzeOptions& options) {
  const auto asked = [&](const char* name) { return options.features.contains(name); };
  for (const char* name : {"fetch", "hash", "probe", "models"}) steps_.push_back({name, {}, kSmallWeight});
  Step frames{"frames", {"shots"}, kFramesWeight};
  for (const char* name : {"objects", "faces", "ocr"})
    if (asked(name)) frames.stages.emplace_back(name);
  steps_.push_back(frames);
  for (const char* name : {"scenes", "labels", "places", "transcript"})
    if (asked(name)) steps_.push_back({name, {name}, kSmallWeight});
  if (options.deep.mode == pipeline::DeepMode::kOff) return;
  steps_.push_back({"model", {}, kSmallWeight});
  for (const std::string& name : pipeline::deep_stages(options.deep.features)) {
    const bool looks = name == "caption" || name == "describe";
    steps_.push_back({name, {name}, looks ? kLookingWeight : kReadingWeight});
  }
}

JobProgress::Step* JobProgress::find(const std::string& report) {
  const auto found = std::find_if(steps_.begin(), steps_.end(),
                                  [&](const Step& step) { return step.report == report; });
  return found == steps_.end() ? nullptr : &*found;
}

bool JobProgress::take(const pipeline::Progress& progress) {
  const bool changed = progress.stage != last_.stage;
  last_ = progress;
  Step* current = find(progress.stage);
  if (!current) return changed;
  // Steps run in order, and those that were answered from the store are passed over.
  for (Step* step = steps_.data(); step != current; ++step) step->fraction = 1;
  current->begun = true;
  if (progress.total_us > 0)
    current->fraction = std::clamp(static_cast<double>(progress.media_us) / static_cast<double>(progress.total_us), 0.0, 1.0);
  double done = 0, all = 0;
  for (const Step& step : steps_) {
    done += step.weight * step.fraction;
    all += step.weight;
  }
  fraction_ = std::max(fraction_, std::min(kLargest, done / all));
  return changed;
}

std::string JobProgress::json(int64_t now_ms) const {
  Json stages = Json::array();
  for (const Step& step : steps_) {
    const bool running = step.begun && step.report == last_.stage;
    for (const std::string& name : step.stages)
      stages.push_back({{"name", name},
                        {"status", running ? "running" : step.fraction >= 1 ? "done" : "queued"},
                        {"fraction", document::rounded(running ? step.fraction : step.fraction >= 1 ? 1 : 0, 4)}});
  }
  const Json progress = {{"fraction", document::rounded(fraction_, 4)},
                         {"stage", last_.stage},
                         {"media_seconds_done", document::seconds(last_.media_us)},
                         {"media_seconds_total", document::seconds(last_.total_us)},
                         {"realtime_factor", document::rounded(last_.times_realtime, 2)},
                         {"eta_seconds", last_.seconds_left < 0 ? Json() : Json(std::llround(last_.seconds_left))},
                         {"at_ms", now_ms}};
  return document::to_text({{"progress", progress}, {"stages", stages}});
}

}  // namespace prismvid::server
