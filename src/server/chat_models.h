#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "inference/engine.h"
#include "server/shared_models.h"
#include "tokenizer/tokenizer.h"

namespace prismvid::server {

/// A model that answers conversations.
struct ChatModel {
  ChatModel(std::string public_name, const deep::ModelChoice& choice);

  std::string name;  // as public_name() tells it
  inference::Engine engine;
  tokenizer::Tokenizer tokenizer;
};

/// A model's name in the interface: never where it lies.
std::string public_name(const deep::ModelChoice& choice);

/// Thread-safe.
class ChatModels {
 public:
  explicit ChatModels(SharedModels& models) : models_(models) {}
  /// By public name or a name in the Hugging Face cache; empty: the best installed. Throws HttpError 404 for one that is not there, Error(kModel,
  /// kUnavailable).
  std::shared_ptr<ChatModel> open(const std::string& name);

 private:
  deep::ModelChoice choose(const std::string& name);

  SharedModels& models_;
  std::mutex mutex_;
  std::shared_ptr<ChatModel> last_;
};

}  // namespace prismvid::server
