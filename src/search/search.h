#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document/document.h"
#include "search/sentence_search.h"
#include "search/snippet.h"
#include "store/store.h"

namespace prismvid::search {

struct SearchQuery {
  std::string words = {};                // empty: everything that the filters leave
  std::vector<std::string> people = {};  // ids or exact names; all are seen at the time
  std::vector<std::string> labels = {};  // labels, objects or places; all are seen at the time
  std::vector<std::string> videos = {};  // ids or hashes; any of these
  std::string since = {};  // "2026-11-01" or RFC 3339: the video was added then or later,
  std::string until = {};  // and not after this day or moment
  std::optional<TimeRange> range = {};  // of each video, only what overlaps it
  size_t limit = 20;
};

/// One way in which a hit was found.
struct Reason {
  std::string by;   // words, meaning, person, label
  size_t rank = 0;  // among those found this way, from 1
};

struct SearchHit {
  std::string video_id;
  std::string path;
  TimeRange range;
  std::string kind;  // caption, text, person, ..., see store::FoundMoment
  std::string of;    // id of the element in the document
  std::string text;  // whole
  Snippet snippet;
  std::string keyframe;
  int64_t times = 1;  // how often it is there; `range` is the best
  double score = 0;   // fused reciprocal ranks, higher is better
  std::vector<Reason> why;
};

/// Moments of the library, best first: those found by words, by meaning (with `sentences`) and by a
/// person's name are ranked apart and fused (reciprocal rank fusion, k = 60); what is found while a
/// person asked for is seen ranks above the rest. Throws Error(kNotFound) for an unknown person or
/// video, Error(kInvalidArgument) for a date that is none or a query without anything to look for.
std::vector<SearchHit> search(store::Store& store, const SearchQuery& query,
                              SentenceSearch* sentences = nullptr);

/// {"hits": [{"video", "path", "start", "end", "kind", ...}]}
document::Json to_json(const std::vector<SearchHit>& hits);

}  // namespace prismvid::search
