#pragma once

#include <memory>
#include <string>

#include "inference/engine.h"
#include "server/shared_models.h"

namespace prismvid::server {

/// A model that answers conversations: the one that jobs and questions use too.
struct ChatModel {
  std::string name;  // as public_name() tells it
  std::shared_ptr<deep::Model> model;

  inference::Engine& engine() const { return *model->engine(); }
};

/// A model's name in the interface: never where it lies.
std::string public_name(const deep::ModelChoice& choice);

/// By public name or a name in the Hugging Face cache; empty: the best installed. Throws HttpError
/// 404 for one that is not there, Error(kModel, kUnavailable).
ChatModel open_chat_model(SharedModels& models, const std::string& name);

}  // namespace prismvid::server
