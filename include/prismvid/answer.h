#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace prismvid {

struct TokenProbability {
  int id = 0;
  float log_probability = 0;  // natural logarithm
};

/// Of one position: the token that was taken, and the likeliest ones, likeliest first.
struct LogProbabilities {
  TokenProbability chosen;
  std::vector<TokenProbability> top;
};

enum class FinishReason { kStop, kLength, kLoop, kCancelled };

inline const char* to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kLoop:
      return "loop";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "stop";
}

struct Timings {
  double load_ms = 0;
  double queue_ms = 0;        // waiting for its turn
  double vision_ms = 0;       // decoding and encoding media
  double first_token_ms = 0;  // from the turn to the first token
  double prefill_ms = 0;
  double decode_ms = 0;
};

struct Answer {
  std::vector<int> prompt_token_ids;
  std::vector<int> token_ids;
  std::string text;
  std::string reasoning;
  std::vector<LogProbabilities> log_probabilities;  // one for each token when asked for
  FinishReason finish_reason = FinishReason::kStop;
  std::optional<bool>
      valid;  // with a form asked for: whether the text is whole, not only its beginning
  int cached_prompt_tokens = 0;  // whose keys and values were known
  int drafted_tokens = 0;        // guessed ahead
  int accepted_tokens = 0;       // of those, in the answer
  Timings timings;
  uint64_t peak_memory_bytes = 0;  // of the process, or of the device where that is more
};

/// What a token brought.
struct TokenEvent {
  int id = 0;        // -1: text that was held back until the end
  std::string text;  // of the answer, whole characters; may be empty
  std::string reasoning;
};
using TokenCallback = std::function<void(const TokenEvent&)>;

}  // namespace prismvid
