#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "deep/clip.h"

namespace prismvid::deep {

/// Clips in the size that one model gets them, the last used within a number of bytes, so that a
/// part of a video that was looked at is not decoded again. Thread-safe.
class ClipCache {
 public:
  explicit ClipCache(uint64_t most_bytes) : most_bytes_(most_bytes) {}

  /// nullptr where there is none.
  std::shared_ptr<const Clip> find(const std::string& key);
  void insert(const std::string& key, std::shared_ptr<const Clip> clip);

  uint64_t bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Clip> clip;
    uint64_t bytes = 0;
  };

  const uint64_t most_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> order_;  // the last used first
  std::unordered_map<std::string, std::list<Entry>::iterator> entries_;
  uint64_t bytes_ = 0;
};

}  // namespace prismvid::deep
