#include "search/sentence_search.h"

#include <map>

#include "core/cpu.h"
#include "search/half_vectors.h"

namespace prismvid::search {
namespace {

constexpr size_t kBatch = 256;  // moments stored at once

// Cosine below which two sentences of this model have nothing to do with each other, by eye.
constexpr float kLeastLikeness = 0.3f;

std::vector<uint16_t> halves_of(const std::vector<float>& vector) {
  std::vector<uint16_t> halves;
  halves.reserve(vector.size());
  for (const float value : vector) halves.push_back(to_half(value));
  return halves;
}

}  // namespace

SentenceSearch::SentenceSearch(const vision::ModelManifest& manifest)
    : manifest_(manifest), space_(SentenceEmbedder::space_of(manifest)) {}

SentenceEmbedder& SentenceSearch::embedder() {
  if (!embedder_) embedder_ = std::make_unique<SentenceEmbedder>(manifest_);
  return *embedder_;
}

void SentenceSearch::embed_new(store::Store& store) {
  const std::scoped_lock lock(embedding_);
  std::map<std::string, std::vector<uint16_t>> known;  // texts on screen come again and again
  for (;;) {
    const auto moments = store.unembedded_moments(space_, kBatch);
    if (moments.empty()) return;
    std::vector<store::MomentVector> vectors;
    for (const store::UnembeddedMoment& moment : moments) {
      const auto [vector, is_new] = known.try_emplace(moment.text);
      if (is_new) vector->second = halves_of(embedder().embed(moment.text));
      vectors.push_back({moment.id, vector->second});
    }
    store.put_vectors(space_, vectors);
  }
}

std::vector<store::ScoredVector> SentenceSearch::nearest(store::Store& store,
                                                         const std::string& words, size_t most) {
  std::vector<float> query;
  {
    const std::scoped_lock lock(embedding_);
    query = embedder().embed(words);
  }
  refresh(store);
  const std::shared_lock lock(reading_);
  std::vector<store::ScoredVector> found;
  for (const Neighbour& neighbour : search::nearest(query, rows_, most, available_threads()))
    if (neighbour.score >= kLeastLikeness) found.push_back({ids_[neighbour.row], neighbour.score});
  return found;
}

/// Reads what came since; after a deletion, everything.
void SentenceSearch::refresh(store::Store& store) {
  const std::unique_lock lock(reading_);
  const auto read = [&] {
    const store::VectorRows rows = store.vectors_after(space_, ids_.empty() ? 0 : ids_.back());
    ids_.insert(ids_.end(), rows.ids.begin(), rows.ids.end());
    rows_.insert(rows_.end(), rows.halves.begin(), rows.halves.end());
  };
  read();
  if (static_cast<int64_t>(ids_.size()) == store.count_vectors(space_)) return;
  ids_.clear();
  rows_.clear();
  read();
}

}  // namespace prismvid::search
