#include "server/chat_models.h"

#include "inference/hub.h"
#include "server/http.h"

namespace prismvid::server {

ChatModel::ChatModel(std::string public_name, const std::string& model)
    : name(std::move(public_name)), engine(model), tokenizer(tokenizer::Tokenizer::load(inference::find_model(model))) {}

std::string public_name(const deep::ModelChoice& choice) {
  const bool path = choice.name.starts_with('/') || choice.name.starts_with('.') || choice.name.starts_with('~');
  return path ? choice.card.id : choice.name;
}

deep::ModelChoice ChatModels::choose(const std::string& name) {
  try {
    const deep::ModelChoice best = models_.choose("");
    if (name.empty() || name == public_name(best)) return best;
  } catch (const Error& error) {
    if (name.empty()) throw Error(ErrorCode::kUnavailable, error.what());
  }
  try {
    return models_.choose(name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    throw HttpError(404, "model_not_found", error.what());
  }
}

std::shared_ptr<ChatModel> ChatModels::open(const std::string& name) {
  const deep::ModelChoice choice = choose(name);
  const std::lock_guard lock(mutex_);
  if (last_ && last_->name == public_name(choice)) return last_;
  last_.reset();  // two at once may not fit
  last_ = std::make_shared<ChatModel>(public_name(choice), choice.name);
  return last_;
}

}  // namespace prismvid::server
