#pragma once

#include <filesystem>

#include "deep/model.h"

namespace prismvid::deep {

/// Another provider's models, which also write down what they are given and reply, so that other
/// programs can be asked the same (tools/world/compare_transformers.py). FOLDER/000001.json holds
/// the words and the times, 000001.rgb the frames and pictures one after another, 8-bit RGB.
class RecordedModels : public ModelProvider {
 public:
  /// Makes the folder, which must be empty. `models` must outlive this. Throws Error(kUnreadable).
  RecordedModels(ModelProvider& models, std::filesystem::path folder);

  ModelChoice choose(const std::string& name) override { return models_.choose(name); }
  std::shared_ptr<Model> open(const ModelChoice& choice) override;

 private:
  ModelProvider& models_;
  std::filesystem::path folder_;
  std::shared_ptr<int> requests_ = std::make_shared<int>(0);  // written so far
};

}  // namespace prismvid::deep
