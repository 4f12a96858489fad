#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/media_time.h"
#include "document/document.h"

namespace prismvid::deep {

/// A stretch of a video that has to do with what was asked.
struct Moment {
  size_t video = 0;  // index of the document
  TimeRange range;
  std::string kind;  // caption, text, person, object, speech, chapter
  std::string text;
  std::string of;    // id of the element in the document
  double score = 0;  // fused reciprocal ranks, higher is better
};

/// Moments that share words with `question`, best first: each kind is ranked by BM25 over all
/// documents, then the kinds' ranks are fused (reciprocal rank fusion, k = 60).
std::vector<Moment> find_moments(std::span<const document::Document* const> documents,
                                 const std::string& question,
                                 const std::optional<TimeRange>& range = {}, size_t most = 50);

}  // namespace prismvid::deep
