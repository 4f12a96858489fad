#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "search/word_piece.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::search {

/// Sentences as vectors of length 1 whose inner product says how alike their meanings are
/// (all-MiniLM-L6-v2: Reimers and Gurevych 2019, 384 numbers). Not thread-safe.
class SentenceEmbedder {
 public:
  /// A model of task "sentence_embedding": graph, weights, vocabulary. Throws Error(kModel).
  explicit SentenceEmbedder(const vision::ModelManifest& manifest, int threads = 0,
                            vision::Precision precision = vision::Precision::kFast);

  /// Pieces behind the model's most are not read.
  std::vector<float> embed(std::string_view sentence);

  /// Names the model's vectors, which are never compared with another's.
  static std::string space_of(const vision::ModelManifest& manifest);

 private:
  WordPiece tokenizer_;
  std::unique_ptr<vision::Network> network_;
  size_t dimensions_ = 0;
  size_t most_tokens_ = 0;
};

}  // namespace prismvid::search
