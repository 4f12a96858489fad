#pragma once

#include <string>
#include <vector>

#include "deep/ask.h"
#include "deep/model.h"
#include "pipeline/library_search.h"
#include "store/store.h"

namespace prismvid::pipeline {

/// Answers questions about analysed videos. Not thread-safe.
class Questions {
 public:
  /// Moments are found with `search`. `deep_models` is where the model is taken from, by default
  /// what is installed. All must outlive this.
  Questions(store::Store& store, LibrarySearch& search, deep::ModelProvider* deep_models = nullptr)
      : store_(store), search_(search), deep_models_(deep_models ? *deep_models : installed_) {}

  /// Asks `model` (empty: the best installed) about the videos of these ids, or about the whole
  /// library for none. Without a model that works the answer is a search's and says why in
  /// `degraded`. Throws Error(kNotFound) for a video that was not analysed, Error(kInvalidArgument)
  /// for an empty question, Error(kCancelled).
  deep::Answer ask(const std::vector<std::string>& video_ids, const std::string& question,
                   const std::string& model, const deep::AskOptions& options,
                   std::stop_token stop = {});

 private:
  store::Store& store_;
  LibrarySearch& search_;
  deep::InstalledModels installed_;
  deep::ModelProvider& deep_models_;
};

}  // namespace prismvid::pipeline
