#include "server/chat_models.h"

#include "inference/hub.h"
#include "server/http.h"

namespace prismvid::server {

namespace {

inference::LoadOptions load_options(const deep::ModelChoice& choice) {
  inference::LoadOptions options;
  options.kv_bits = choice.kv_bits;
  return options;
}

}  // namespace

ChatModel::ChatModel(std::string public_name, const deep::ModelChoice& choice)
    : name(std::move(public_name)),
      engine(choice.name, load_options(choice)),
      tokenizer(tokenizer::Tokenizer::load(inference::find_model(choice.name))) {}

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
  last_ = std::make_shared<ChatModel>(public_name(choice), choice);
  return last_;
}

}  // namespace prismvid::server
