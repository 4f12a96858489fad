#pragma once

#include "deep/model.h"

namespace prismvid::deep {

/// Hands everything but ask() on to another model, for those that watch or change what is asked.
class ForwardingModel : public Model {
 public:
  /// `model` must outlive this.
  explicit ForwardingModel(Model& model) : model_(model) {}

  const document::StageModel& card() const override { return model_.card(); }
  const Feeding& feeding() const override { return model_.feeding(); }
  Image resized(ImageView picture, int frames) const override {
    return model_.resized(picture, frames);
  }
  int count_tokens(const std::string& text) const override { return model_.count_tokens(text); }
  ClipCache* clips() const override { return model_.clips(); }
  void forget(const std::string& content) override { model_.forget(content); }
  void start_anew() override { model_.start_anew(); }

 protected:
  Model& model_;
};

}  // namespace prismvid::deep
