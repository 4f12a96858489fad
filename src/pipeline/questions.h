#pragma once

#include <string>
#include <vector>

#include "deep/ask.h"
#include "deep/model.h"
#include "store/store.h"

namespace prismvid::pipeline {

/// Answers questions about analysed videos. Not thread-safe.
class Questions {
 public:
  /// `deep_models` is where the model is taken from, by default what is installed; it must outlive
  /// this.
  explicit Questions(store::Store& store, deep::ModelProvider* deep_models = nullptr)
      : store_(store), deep_models_(deep_models ? *deep_models : installed_) {}

  /// Asks `model` (empty: the best installed) about the videos of these ids, or about the whole
  /// library for none. Without a model that works the answer is a search's and says why in
  /// `degraded`. Throws Error(kNotFound) for a video that was not analysed, Error(kInvalidArgument)
  /// for an empty question, Error(kCancelled).
  deep::Answer ask(const std::vector<std::string>& video_ids, const std::string& question,
                   const std::string& model, const deep::AskOptions& options,
                   std::stop_token stop = {});

 private:
  store::Store& store_;
  deep::InstalledModels installed_;
  deep::ModelProvider& deep_models_;
};

}  // namespace prismvid::pipeline
