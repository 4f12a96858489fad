#include "server/shared_models.h"

namespace prismvid::server {
namespace {

/// Callers take turns.
class TakingTurns : public deep::Model {
 public:
  TakingTurns(std::shared_ptr<deep::Model> model, std::shared_ptr<std::mutex> turn)
      : model_(std::move(model)), turn_(std::move(turn)) {}

  const document::StageModel& card() const override { return model_->card(); }
  const deep::Feeding& feeding() const override { return model_->feeding(); }
  Image resized(ImageView picture, int frames) const override {
    return model_->resized(picture, frames);
  }
  int count_tokens(const std::string& text) const override { return model_->count_tokens(text); }

  void ask(std::span<const deep::Request> requests,
           const std::function<void(size_t, deep::Reply)>& take, std::stop_token stop) override {
    const std::lock_guard lock(*turn_);
    model_->ask(requests, take, std::move(stop));
  }

 private:
  std::shared_ptr<deep::Model> model_;
  std::shared_ptr<std::mutex> turn_;
};

}  // namespace

deep::ModelChoice SharedModels::choose(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return installed_.choose(name);
}

std::shared_ptr<deep::Model> SharedModels::open(const deep::ModelChoice& choice) {
  const std::lock_guard lock(mutex_);
  return std::make_shared<TakingTurns>(installed_.open(choice), turn_);
}

}  // namespace prismvid::server
