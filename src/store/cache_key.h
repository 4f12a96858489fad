#pragma once

#include <string>
#include <vector>

#include "core/media_time.h"

namespace prismvid::store {

/// Everything a stage's result depends on. Change one and the stage runs anew; nothing else makes
/// it run.
struct CacheKeyInput {
  std::string content_sha256;
  TimeRange range;
  std::string stage;
  std::string stage_version;
  std::string model_sha256;  // also says the quantisation, being of the file
  std::string backend;       // different backends give different floats
  std::string parameters;    // JSON text with sorted keys
  std::vector<std::string>
      upstream;  // cache keys of the stages it reads; their order does not matter
};

/// SHA-256, in hex, over every field with its length, so that no two inputs run together.
std::string cache_key(const CacheKeyInput& input);

}  // namespace prismvid::store
