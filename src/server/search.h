#pragma once

#include <set>
#include <string>
#include <vector>

#include "document/document.h"
#include "pipeline/library_search.h"
#include "search/search.h"
#include "store/store.h"

namespace prismvid::server {

/// Kinds of moments, as hits name them.
inline const std::vector<std::string> kSearchKinds = {"caption", "scene",      "chapter", "summary", "story",  "highlight",
                                                      "text",    "transcript", "label",   "place",   "object", "person"};

/// The interface's answer: moments of all videos, best first. `kinds` empty: all of them. Throws what
/// LibrarySearch::find() throws.
document::Json search(pipeline::LibrarySearch& library, store::Store& store, const search::SearchQuery& query,
                      const std::set<std::string>& kinds);

}  // namespace prismvid::server
