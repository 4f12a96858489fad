#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inference/vision_language_model.h"
#include "server/chat_media.h"

namespace prismvid::server {

/// A request of OpenAI's chat interface, read; the other interfaces are turned into its form first.
struct ChatCall {
  std::string model;                // empty: the best installed
  nlohmann::ordered_json messages;  // with media resolved
  nlohmann::ordered_json tools = nlohmann::ordered_json::array();
  bool calls_required = false;  // the answer is one call and nothing else
  bool stream = false;
  bool include_usage = false;
  int top_logprobs = -1;  // as GenerateOptions::top_log_probabilities
  inference::GenerateOptions options;
};

/// Reads a body. `defaults` are the checkpoint's. Throws HttpError 400 naming what is wrong or not supported.
ChatCall read_chat(const nlohmann::ordered_json& body, const inference::GenerateOptions& defaults, ChatMedia& media);

/// The model that a body names: empty for "", "default" and "prismvid". Throws HttpError 400 for a path.
std::string model_of(const nlohmann::ordered_json& body);

/// A request of /v1/completions or /v1/responses as one of /v1/chat/completions.
nlohmann::ordered_json chat_of_completion(const nlohmann::ordered_json& body);
nlohmann::ordered_json chat_of_response(const nlohmann::ordered_json& body);

}  // namespace prismvid::server
