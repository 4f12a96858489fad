#include "pipeline/library_search.h"

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "pipeline/analyzer.h"
#include "search/document_moments.h"

namespace prismvid::pipeline {
namespace {

constexpr char kTask[] = "sentence_embedding";

}  // namespace

search::SentenceSearch* LibrarySearch::sentences() {
  const std::scoped_lock lock(mutex_);
  if (sentences_ || !problem_.empty()) return sentences_.get();
  if (!models_.find(kTask)) {
    problem_ =
        "no model of sentences is installed: run 'make setup', which prepares all-minilm-l6-v2";
    return nullptr;
  }
  try {
    sentences_ = std::make_unique<search::SentenceSearch>(models_.require(kTask));
  } catch (const Error& error) {
    problem_ = error.what();
  }
  return sentences_.get();
}

std::vector<std::string> LibrarySearch::update(store::Store& store, const document::Document* newest) {
  std::vector<std::string> damaged;
  for (const store::UnindexedVideo& video : store.unindexed_videos()) {
    try {
      const bool is_newest = newest != nullptr && newest->analysis.id == video.analysis_id;
      store.put_moments(video, search::moments_of(is_newest ? *newest : latest_document(store, video.video_id)));
    } catch (const Error& error) {
      if (!store.find_video(video.video_id)) continue;  // deleted meanwhile
      spdlog::warn("video {} cannot be searched: {}", video.video_id, error.what());
      damaged.push_back(video.video_id);
    }
  }
  if (search::SentenceSearch* const by_meaning = sentences()) by_meaning->embed_new(store);
  return damaged;
}

LibraryHits LibrarySearch::find(store::Store& store, const search::SearchQuery& query) {
  LibraryHits found;
  found.stale_videos = update(store);
  search::SentenceSearch* const by_meaning = sentences();
  found.hits = search::search(store, query, by_meaning);
  if (!by_meaning) found.words_only = problem_;
  return found;
}

document::Json to_json(const LibraryHits& found) {
  document::Json json = search::to_json(found.hits);
  json["stale_videos"] = found.stale_videos;
  json["words_only"] =
      found.words_only.empty() ? document::Json() : document::Json(found.words_only);
  return json;
}

}  // namespace prismvid::pipeline
