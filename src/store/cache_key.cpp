#include "store/cache_key.h"

#include <algorithm>

#include "core/sha256.h"

namespace prismvid::store {

std::string cache_key(const CacheKeyInput& input) {
  Sha256 hash;
  auto add = [&](const std::string& field) {
    hash.update(std::to_string(field.size()) + ":");
    hash.update(field);
  };
  add("prismvid cache key 1");
  add(input.content_sha256);
  add(std::to_string(input.range.start_us));
  add(std::to_string(input.range.end_us));
  add(input.stage);
  add(input.stage_version);
  add(input.model_sha256);
  add(input.backend);
  add(input.parameters);
  auto upstream = input.upstream;
  std::sort(upstream.begin(), upstream.end());
  for (const std::string& key : upstream) add(key);
  return hash.hex();
}

}  // namespace prismvid::store
