#include "pipeline/stage_ledger.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/sha256.h"
#include "document/json.h"
#include "pipeline/probe.h"

namespace prismvid::pipeline {
namespace {

using document::Stage;
using document::StageStatus;
using nlohmann::json;

double percentile(std::vector<float> values, double share) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::optional<document::StageModel> describe_model(const StagePlan& plan) {
  if (plan.deep_model) return plan.deep_model;
  if (plan.models.empty()) return std::nullopt;
  std::string id;
  for (const vision::ModelManifest& model : plan.models) id += (id.empty() ? "" : "+") + model.id;
  const std::string precision = plan.backend.substr(plan.backend.rfind('/') + 1);
  return document::StageModel{id, plan.model_hash(), precision, "openvino-cpu", "cpu"};
}

/// What a later run wants to know besides the result.
std::string encode_extra(const StageTiming& timing) {
  json extra = json::object();
  if (!timing.ms_per_frame.empty()) {
    extra["p50"] = percentile(timing.ms_per_frame, 0.5);
    extra["p95"] = percentile(timing.ms_per_frame, 0.95);
  }
  if (timing.tokens_in > 0) extra["tokens_in"] = timing.tokens_in;
  if (timing.tokens_out > 0) extra["tokens_out"] = timing.tokens_out;
  if (!timing.warnings.empty()) extra["warnings"] = timing.warnings;
  return extra.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

StageLedger::StageLedger(store::Store& store, const std::string& video_id, std::vector<StagePlan> plans, bool force)
    : store_(store), video_id_(video_id), plans_(std::move(plans)) {
  for (const StagePlan& plan : plans_) entries_.push_back(plan_entry(plan, force));
}

Stage StageLedger::plan_entry(const StagePlan& plan, bool force) {
  Stage entry;
  entry.name = plan.name;
  entry.version = plan.version;
  entry.cache_key = plan.cache_key;
  entry.params_sha256 = sha256_hex(plan.parameters.dump());
  entry.model = describe_model(plan);
  if (plan.unavailable) {
    entry.status = StageStatus::kUnavailable;
    entry.error = plan.unavailable;
  } else if (const auto record = force ? std::nullopt : store_.find_stage(plan.cache_key)) {
    entry.status = StageStatus::kCached;
    read_extra(*record, entry);
  }
  return entry;
}

void StageLedger::add_probe(const std::string& cache_key, bool cached) {
  Stage probe;
  probe.name = stage::kProbe;
  probe.version = kProbeVersion;
  probe.status = cached ? StageStatus::kCached : StageStatus::kDone;
  probe.cache_key = cache_key;
  entries_.insert(entries_.begin(), probe);
}

void StageLedger::read_extra(const store::StageRecord& record, Stage& entry) {
  entry.frames = record.frames;
  const json extra = json::parse(record.extra_json, nullptr, false);
  if (!extra.is_object()) return;
  if (extra.contains("p50")) entry.ms_per_frame_p50 = extra["p50"].get<double>();
  if (extra.contains("p95")) entry.ms_per_frame_p95 = extra["p95"].get<double>();
  entry.tokens_in = extra.value("tokens_in", int64_t{0});
  entry.tokens_out = extra.value("tokens_out", int64_t{0});
  if (!extra.contains("warnings")) return;
  const std::string code = entry.model && entry.model->backend.starts_with("mlx") ? "deep" : "media";
  for (const json& warning : extra["warnings"]) add_warning(code, warning.get<std::string>());
}

void StageLedger::add_warning(const std::string& code, const std::string& message) {
  auto same = [&](const document::Warning& warning) { return warning.message == message; };
  if (std::none_of(warnings_.begin(), warnings_.end(), same)) warnings_.push_back({code, message});
}

void StageLedger::keep(const std::string& name, const StageOutput& output, const StageTiming& timing) {
  const StagePlan& done = plan(name);
  store::StageRecord record;
  record.cache_key = done.cache_key;
  record.video_id = video_id_;
  record.stage = name;
  record.version = done.version;
  record.backend = done.backend;
  record.wall_ms = std::llround(timing.wall_ms);
  record.frames = timing.frames;
  record.extra_json = encode_extra(timing);
  if (const auto model = describe_model(done)) record.model_id = model->id;
  store_.put_stage(record, output);
  Stage& finished = entry(name);
  finished.status = StageStatus::kDone;
  finished.wall_ms = record.wall_ms;
  read_extra(record, finished);
}

void StageLedger::mark_failed(const std::string& name, const Error& error) {
  mark(name, StageStatus::kFailed, {to_string(error.code()), error.what(), false});
}

void StageLedger::mark(const std::string& name, StageStatus status, const document::StageError& error) {
  spdlog::debug("stage '{}' {}: {}", name, document::to_string(status), error.message);
  entry(name).status = status;
  entry(name).error = error;
}

void StageLedger::add(const StagePlan& plan, bool force) {
  entries_.push_back(plan_entry(plan, force));
  plans_.push_back(plan);
}

bool StageLedger::is_missing(const std::string& name) const {
  const Stage* found = find_entry(name);
  return found && found->status == StageStatus::kQueued;
}

bool StageLedger::has_result(const std::string& name) const {
  const Stage* found = find_entry(name);
  return found && (found->status == StageStatus::kDone || found->status == StageStatus::kCached);
}

const StagePlan& StageLedger::plan(const std::string& name) const {
  const StagePlan* found = find_plan(plans_, name);
  check(found != nullptr, ErrorCode::kInternal, "stage '", name, "' was not planned");
  return *found;
}

const Stage* StageLedger::find_entry(const std::string& name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Stage& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

Stage& StageLedger::entry(const std::string& name) {
  const Stage* found = find_entry(name);
  check(found != nullptr, ErrorCode::kInternal, "stage '", name, "' was not planned");
  return const_cast<Stage&>(*found);
}

}  // namespace prismvid::pipeline
