#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "search/sentence_embedder.h"
#include "store/store.h"

namespace prismvid::search {

/// Search by meaning: gives the moments of a store their vectors, keeps all of them in memory and
/// compares with every one. One object for one database; thread-safe.
class SentenceSearch {
 public:
  /// The model is loaded when there is something to embed, which then may throw Error(kModel).
  explicit SentenceSearch(const vision::ModelManifest& manifest);

  /// Embeds the moments that have no vector yet.
  void embed_new(store::Store& store);

  /// The `most` nearest to the words, as far as they mean something alike.
  std::vector<store::ScoredVector> nearest(store::Store& store, const std::string& words,
                                           size_t most);

 private:
  SentenceEmbedder& embedder();
  void refresh(store::Store& store);

  const vision::ModelManifest manifest_;
  const std::string space_;
  std::mutex embedding_;  // guards embedder_
  std::unique_ptr<SentenceEmbedder> embedder_;
  std::shared_mutex reading_;  // guards what is below
  std::vector<int64_t> ids_;
  std::vector<uint16_t> rows_;  // ids_.size() x dimensions
};

}  // namespace prismvid::search
