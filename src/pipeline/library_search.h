#pragma once

#include <string>
#include <vector>

#include "search/search.h"
#include "store/store.h"

namespace prismvid::pipeline {

struct LibraryHits {
  std::vector<search::SearchHit> hits;
  std::vector<std::string> stale_videos;  // ids: not searched or as they were; analyse them again
};

/// What the command `search` and the service answer: search::search() in an index that is brought
/// up to date first, so that videos analysed by an older PrismVid and edits are found too.
LibraryHits search_library(store::Store& store, const search::SearchQuery& query);

/// {"hits": [...], "stale_videos": [ids]}
document::Json to_json(const LibraryHits& found);

/// Puts what changed since into the search index; gives back the ids of videos whose stored results
/// are damaged. Costs one query where nothing changed.
std::vector<std::string> update_search_index(store::Store& store);

}  // namespace prismvid::pipeline
