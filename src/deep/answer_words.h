#pragma once

#include <string>
#include <string_view>

namespace prismvid::deep {

/// The words of an answer out of a reply of prompts/schemas/question.json that comes in pieces. What
/// the video does not show is not told: then another window is looked at. Not thread-safe.
class AnswerWords {
 public:
  /// What this piece adds to the words; whole characters, if the pieces are.
  std::string push(std::string_view piece);

 private:
  std::string reply_;
  std::string told_;
};

}  // namespace prismvid::deep
