#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/media_time.h"
#include "document/document.h"

namespace prismvid::deep {

/// A sentence about a stretch of a video.
struct Caption {
  TimeRange range;
  std::string text;
};

/// "12.5": seconds with one decimal, as prompts tell times.
std::string seconds_text(int64_t t_us);

/// `text` on one line: control characters become spaces, so that data cannot pretend to be a line
/// of the prompt.
std::string one_line(std::string_view text);

/// "2.0-3.5 The red circle moves right.", one a line: {{captions}} of the prompts.
std::string caption_lines(const std::vector<Caption>& captions);

/// What the fast stage knows of `range`, a line each as prompts/README.md says, or "none": text on
/// the screen, people with settled names, objects, what is said; then `captions`, wherever they
/// are. Long texts are cut and there are at most a hundred lines of a kind.
std::string known_facts(const document::Document& document, const TimeRange& range,
                        const std::vector<Caption>& captions = {});

}  // namespace prismvid::deep
