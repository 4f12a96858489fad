#include "pipeline/library_search.h"

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "pipeline/analyzer.h"
#include "search/document_moments.h"

namespace prismvid::pipeline {

std::vector<std::string> update_search_index(store::Store& store) {
  std::vector<std::string> damaged;
  for (const store::UnindexedVideo& video : store.unindexed_videos()) {
    try {
      store.put_moments(video, search::moments_of(latest_document(store, video.video_id)));
    } catch (const Error& error) {
      if (!store.find_video(video.video_id)) continue;  // deleted meanwhile
      spdlog::warn("video {} cannot be searched: {}", video.video_id, error.what());
      damaged.push_back(video.video_id);
    }
  }
  return damaged;
}

LibraryHits search_library(store::Store& store, const search::SearchQuery& query) {
  LibraryHits found;
  found.stale_videos = update_search_index(store);
  found.hits = search::search(store, query);
  return found;
}

document::Json to_json(const LibraryHits& found) {
  document::Json json = search::to_json(found.hits);
  json["stale_videos"] = found.stale_videos;
  return json;
}

}  // namespace prismvid::pipeline
