#pragma once

#include <filesystem>
#include <stop_token>

#include "deep/model.h"
#include "document/document.h"
#include "pipeline/kept_networks.h"
#include "pipeline/library_search.h"
#include "pipeline/options.h"
#include "store/store.h"
#include "vision/models/manifest.h"

namespace prismvid::pipeline {

/// Analyses videos: answers from the store what it can, runs what is missing in one decode pass, stores each stage as it
/// is finished and gives back the document. Not thread-safe.
class Analyzer {
 public:
  /// `deep_models` is where the deep stage takes its model from, by default what is installed; it must outlive this.
  Analyzer(store::Store& store, const vision::ModelRegistry& models, deep::ModelProvider* deep_models = nullptr)
      : store_(store), models_(models), deep_models_(deep_models ? *deep_models : installed_), library_(models) {}

  /// Before a run over several videos: what detectors load stays loaded from one to the next.
  void keep_networks() { networks_.keep(); }

  /// A stage that cannot run or fails is marked in the document; what the others found stays. Throws Error when the
  /// input cannot be read (kNotFound, kUnreadable, kNotVideo), the store fails, or `stop` was requested (kCancelled).
  document::Document analyze(const std::filesystem::path& video, const AnalyzeOptions& options,
                             const ProgressCallback& on_progress = {}, std::stop_token stop = {});

 private:
  store::Store& store_;
  const vision::ModelRegistry& models_;
  deep::InstalledModels installed_;
  deep::ModelProvider& deep_models_;
  LibrarySearch library_;
  KeptNetworks networks_;
};

/// A video's last analysis as it was stored. Throws Error(kNotFound) when there is none.
store::DocumentRecord require_analysis(store::Store& store, const std::string& video_id);

/// The document of a video's last analysis with today's names and edits. Throws Error(kNotFound) when there is none.
document::Document latest_document(store::Store& store, const std::string& video_id);

/// The stored video that `name` means: a file, an id or a content hash. Throws Error(kNotFound).
store::VideoRecord require_video(store::Store& store, const std::string& name);

}  // namespace prismvid::pipeline
