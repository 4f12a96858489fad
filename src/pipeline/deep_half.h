#pragma once

#include <functional>
#include <stop_token>

#include "deep/model.h"
#include "deep/stages.h"
#include "document/document.h"
#include "pipeline/options.h"
#include "pipeline/stage_ledger.h"
#include "store/store.h"

namespace prismvid::pipeline {

/// How the deep half tells where it is.
struct DeepHooks {
  std::function<void(const std::string& stage)> on_start;  // may throw Error(kCancelled)
  std::function<void(int64_t media_us)> on_progress;       // within the analysed range
  std::stop_token stop;
};

/// The deep stages of one video: planned from what the fast half knows, answered from the store or
/// run, one after the other. Whatever goes wrong with the model is marked in the ledger; the fast
/// half is never touched.
class DeepHalf {
 public:
  DeepHalf(store::Store& store, deep::ModelProvider& models, const AnalyzeOptions& options)
      : store_(store), models_(models), options_(options) {}

  /// `known` is the fast half's document. Throws Error(kStore), Error(kCancelled).
  void run(const std::filesystem::path& video, const document::Document& known, StageLedger& ledger,
           const DeepHooks& hooks);

 private:
  store::Store& store_;
  deep::ModelProvider& models_;
  const AnalyzeOptions& options_;
};

/// The deep stages to run for these features, in order: those that read captions bring them along.
std::vector<std::string> deep_stages(const std::set<std::string>& features);

}  // namespace prismvid::pipeline
