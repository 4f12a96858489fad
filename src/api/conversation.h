#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inference/conversation.h"
#include "prismvid/message.h"

// Inside the library only.
namespace prismvid::api {

/// What the caller's messages are for the engine. `tools`: a JSON list, or nothing. Throws
/// Error(kInvalidArgument) for pictures whose bytes are not those of their size, and for text that
/// should be JSON and is not.
inference::Conversation conversation_of(const std::vector<Message>& messages,
                                        const std::string& tools);

/// `text` as JSON; `name` is what a message calls it.
nlohmann::ordered_json read_json(const std::string& text, const std::string& name);

}  // namespace prismvid::api
