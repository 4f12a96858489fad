#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/media_time.h"

namespace prismvid::pipeline {

/// One question with its right answer.
struct EvalItem {
  std::string id;
  std::filesystem::path video;
  std::string kind;  // the set's own task type; may be empty
  std::string question;
  std::vector<std::string> choices;  // without letters; empty: a free question
  std::string answer;                // the choice's letter, or the words
  std::optional<TimeRange> range;    // only this part of the video is shown
  std::optional<bool> shown;         // plain sets: false where the video does not show it
  std::vector<TimeRange> evidence;   // plain sets: where it is shown
};

/// Reads a set: one JSON object a line, or one JSON list. The layout is told from its keys:
/// plain {"video", "question", "answer", "choices"?, "id"?, "kind"?, "start"?, "end"?, "shown"?,
/// "evidence"?}, Video-MME {"videoID", "question", "options", "answer"}, MVBench {"video",
/// "question", "candidates", "answer"}, LVBench {"key", "qa": [...]}. Videos lie in `folder`
/// (empty: beside the set), with or without an ending of their own. Throws Error(kNotFound),
/// Error(kInvalidArgument) naming the line.
std::vector<EvalItem> read_eval_set(const std::filesystem::path& set,
                                    const std::filesystem::path& folder = {});

/// "A" to "Z" of a reply such as "B", "(B)", "B. The cat" or "The answer is B."; empty where it
/// names none of `count`.
std::string chosen_letter(const std::string& reply, size_t count);

/// Lower case, words only: what two free answers are compared by.
std::string normalized_answer(const std::string& answer);

}  // namespace prismvid::pipeline
