#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "deep/model.h"
#include "document/document.h"
#include "pipeline/eval_set.h"
#include "store/store.h"
#include "vision/models/manifest.h"

namespace prismvid::pipeline {

struct EvalOptions {
  int frames = 64;        // of each video, evenly spaced
  bool analysed = false;  // analyse the videos and answer as `ask` does; free questions only
  std::string detector;   // object detector of the analysis
  std::string language = "en";
  uint64_t seed = 0;
  float temperature = 0;
};

/// Where evaluations take their parts from.
struct EvalContext {
  store::Store& store;
  const vision::ModelRegistry& models;
  deep::ModelProvider& deep_models;
  std::function<void(size_t done, size_t of)> on_progress = [](size_t, size_t) {};
  std::stop_token stop = {};
};

/// Answers every question with the model and scores it: a choice by its letter, a free answer by
/// its normalised words, "not shown" and cited times where the set tells them. Gives {"score",
/// "scores": by kind, "settings": all that is needed to repeat it, "items": every answer}. A
/// question that fails counts as wrong and says why. Throws Error(kCancelled), and what opening the
/// model throws.
document::Json evaluate(const std::vector<EvalItem>& items, const std::string& model,
                        const EvalOptions& options, const EvalContext& context);

}  // namespace prismvid::pipeline
