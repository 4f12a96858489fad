#pragma once

#include <optional>

#include "deep/clip.h"
#include "deep/facts.h"
#include "document/document.h"

namespace prismvid::deep {

/// The range that a reply names, if it is one: a start that is not behind its end. Throws
/// Error(kInvalidArgument) where a number is out of reach.
std::optional<TimeRange> claimed_range(const nlohmann::ordered_json& item);

/// `claim` cut to what was shown, or nothing where it cites what was not: it leaves the clip by
/// more than the step between two frames, or no frame lies in it or a step beside it.
std::optional<TimeRange> shown_part(const TimeRange& claim, const Clip& clip);

/// The same against captions: cut to their range, nothing where no caption touches it.
std::optional<TimeRange> told_part(const TimeRange& claim, const std::vector<Caption>& captions);

/// Which of `captions` support `text`, by the words they share, at most `most`, in order of time;
/// only those that touch `range` where it is given.
std::vector<Caption> supporting(const std::string& text, const std::vector<Caption>& captions,
                                size_t most, std::optional<TimeRange> range = {});

/// A list of evidence as the document has it.
document::Json evidence_json(const std::vector<TimeRange>& ranges);

}  // namespace prismvid::deep
