#pragma once

#include <functional>
#include <span>
#include <string>

#include "deep/model.h"

namespace prismvid::deep {

/// Asks a model for replies of exactly `tokens` tokens and hands on well-formed ones of that length
/// instead of what it wrote: stages run to their end at a known cost, also with random weights.
/// For measurements only.
class FixedReplies : public Model {
 public:
  /// `model` must outlive this.
  FixedReplies(Model& model, int tokens);

  const document::StageModel& card() const override { return model_.card(); }
  const Feeding& feeding() const override { return model_.feeding(); }
  Image resized(ImageView picture, int frames) const override {
    return model_.resized(picture, frames);
  }
  int count_tokens(const std::string& text) const override { return model_.count_tokens(text); }
  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token stop) override;

 private:
  std::string words(int tokens) const;

  Model& model_;
  const int tokens_;
};

}  // namespace prismvid::deep
