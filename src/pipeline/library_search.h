#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "search/search.h"
#include "store/store.h"
#include "vision/models/manifest.h"

namespace prismvid::pipeline {

struct LibraryHits {
  std::vector<search::SearchHit> hits;
  std::vector<std::string> stale_videos;  // ids: not searched or as they were; analyse them again
  std::string words_only;                 // why nothing was searched by meaning, empty where it was
};

/// {"hits": [...], "stale_videos": [ids], "words_only": null or why}
document::Json to_json(const LibraryHits& found);

/// What the command `search` and the service ask: search::search() in an index that is brought up
/// to date first, so that videos analysed by an older PrismVid and edits are found too. One object
/// for one database; thread-safe, each thread with a store of its own.
class LibrarySearch {
 public:
  /// The model of sentences is taken from `models`, which must outlive this, when it is needed.
  explicit LibrarySearch(const vision::ModelRegistry& models) : models_(models) {}

  LibraryHits find(store::Store& store, const search::SearchQuery& query);

  /// Puts what changed since into the index; gives back the ids of videos whose stored results are
  /// damaged. Costs two queries where nothing changed. `newest`, where given, was stored just now: it need not be read back.
  std::vector<std::string> update(store::Store& store, const document::Document* newest = nullptr);

 private:
  /// Loads the model when first asked; nullptr where there is none that works.
  search::SentenceSearch* sentences();

  const vision::ModelRegistry& models_;
  std::mutex mutex_;  // guards the two below
  std::unique_ptr<search::SentenceSearch> sentences_;
  std::string problem_;
};

}  // namespace prismvid::pipeline
