#include "server/chat_models.h"

#include "server/http.h"

namespace prismvid::server {
namespace {

deep::ModelChoice choose(SharedModels& models, const std::string& name) {
  try {
    const deep::ModelChoice best = models.choose("");
    if (name.empty() || name == public_name(best)) return best;
  } catch (const Error& error) {
    if (name.empty()) throw Error(ErrorCode::kUnavailable, error.what());
  }
  try {
    return models.choose(name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    throw HttpError(404, "model_not_found", error.what());
  }
}

}  // namespace

std::string public_name(const deep::ModelChoice& choice) {
  const bool path = choice.name.starts_with('/') || choice.name.starts_with('.') || choice.name.starts_with('~');
  return path ? choice.card.id : choice.name;
}

ChatModel open_chat_model(SharedModels& models, const std::string& name) {
  const deep::ModelChoice choice = choose(models, name);
  return {public_name(choice), models.open(choice)};
}

}  // namespace prismvid::server
