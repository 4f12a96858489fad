#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "core/stage_output.h"
#include "document/document.h"
#include "pipeline/plan.h"
#include "store/store.h"

namespace prismvid::pipeline {

/// How a stage went, kept with its result so that a later run can tell it.
struct StageTiming {
  double wall_ms = 0;
  int64_t frames = 0;
  std::vector<float> ms_per_frame;
  std::vector<std::string> warnings;  // what was wrong with the media it saw, what was left out
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
};

/// Keeps account of the stages of one analysis: which are stored, which are missing, which failed. It stores the results of
/// those that are finished.
class StageLedger {
 public:
  StageLedger(store::Store& store, const std::string& video_id, std::vector<StagePlan> plans, bool force);

  bool asked_for(const std::string& name) const { return find_plan(plans_, name) != nullptr; }
  /// Asked for, able to run, and not stored.
  bool is_missing(const std::string& name) const;
  /// Stored, from this run or an earlier one.
  bool has_result(const std::string& name) const;
  const StagePlan& plan(const std::string& name) const;
  const std::vector<StagePlan>& plans() const { return plans_; }

  /// Stores a finished stage, whole or not at all.
  void keep(const std::string& name, const StageOutput& output, const StageTiming& timing);
  void mark_failed(const std::string& name, const Error& error);
  void mark(const std::string& name, document::StageStatus status, const document::StageError& error);
  /// A stage that is planned later than the others, which its key depends on.
  void add(const StagePlan& plan, bool force);
  void add_probe(const std::string& cache_key, bool cached);

  const std::vector<document::Stage>& entries() const { return entries_; }
  const std::vector<document::Warning>& warnings() const { return warnings_; }

 private:
  document::Stage plan_entry(const StagePlan& plan, bool force);
  void read_extra(const store::StageRecord& record, document::Stage& entry);
  void add_warning(const std::string& code, const std::string& message);
  document::Stage& entry(const std::string& name);
  const document::Stage* find_entry(const std::string& name) const;

  store::Store& store_;
  std::string video_id_;
  std::vector<StagePlan> plans_;
  std::vector<document::Stage> entries_;
  std::vector<document::Warning> warnings_;
};

}  // namespace prismvid::pipeline
