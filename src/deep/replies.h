#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "deep/model.h"
#include "deep/prompts.h"

namespace prismvid::deep {

/// A reply that was held against its schema.
struct Checked {
  nlohmann::ordered_json value;  // null where `problem` is set
  std::string problem;           // why there is no value
  int64_t tokens_in = 0;         // of all tries
  int64_t tokens_out = 0;
};

/// A request of a prompt: its values filled in, its schema, its budget of tokens.
Request request_of(const Prompt& prompt, const PromptValues& values, int max_tokens = 1024);

/// Asks, reads the reply as JSON (bare, or in a code fence) and checks it; one that breaks the
/// schema is asked for once more with another seed.
Checked ask_checked(Model& model, const Request& request, std::stop_token stop);
/// The same for several requests, which may be answered together; `take` gets them in order.
void ask_checked(Model& model, std::span<const Request> requests,
                 const std::function<void(size_t index, Checked)>& take, std::stop_token stop);

/// `by` of a result: who made it from what.
document::Json made_by(const std::string& stage, const std::string& engine, const Model& model,
                       const Prompt& prompt);

}  // namespace prismvid::deep
