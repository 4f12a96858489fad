#pragma once

#include <string>

#include "inference/array_cache.h"
#include "inference/engine.h"
#include "inference/media_loader.h"
#include "models/qwen3_vl/model.h"

// Inside inference only.
namespace prismvid::inference {

/// What requests of one model share. Not thread-safe.
struct Caches {
  Caches(const CacheOptions& options, std::string model_identity);

  /// Gives up the oldest of both until no more than `bytes` are in memory, prefixes first.
  void shrink(uint64_t bytes);
  void clear();
  uint64_t bytes() const { return features.bytes() + prefixes.bytes(); }

  ArrayCache features;  // of frame pairs and pictures
  ArrayCache prefixes;  // keys and values of beginnings of prompts
  std::string model;    // part of all keys
};

/// Features of each frame pair of a part, those that are known from the cache, the rest encoded
/// together and kept. `caches` may be null; `owner` is theirs. Throws what the model throws.
std::vector<qwen3_vl::VisionFeatures> encode(const qwen3_vl::Model& model, const MediaPart& part,
                                             Caches* caches, const std::string& owner);

}  // namespace prismvid::inference
