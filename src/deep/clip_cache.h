#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/file_cache.h"
#include "deep/clip.h"

namespace prismvid::deep {

/// Names what a model was shown.
struct ClipKey {
  std::string content;  // hash of the video
  std::string shown;    // everything else that decides the frames
};

/// Clips in the size that one model gets them, so that a part of a video that was looked at is not
/// decoded again: the last used in memory within a number of bytes, and all of them in `files`, on
/// a thread of its own. Thread-safe.
class ClipCache {
 public:
  /// Without `files` what leaves memory is gone.
  explicit ClipCache(uint64_t most_bytes, std::shared_ptr<FileCache> files = nullptr);
  /// Waits until what came is on the disk.
  ~ClipCache();

  /// nullptr where there is none.
  std::shared_ptr<const Clip> find(const ClipKey& key);
  bool contains(const ClipKey& key) const;
  void insert(const ClipKey& key, std::shared_ptr<const Clip> clip);
  /// All of one video, on the disk as well.
  void forget(const std::string& content);
  /// Empties the memory when all is on the disk.
  void start_anew();

  uint64_t bytes() const;  // in memory

 private:
  struct Entry {
    ClipKey key;
    std::shared_ptr<const Clip> clip;
    uint64_t bytes = 0;
  };
  struct Waiting {
    ClipKey key;
    std::shared_ptr<const Clip> clip;
  };
  std::shared_ptr<const Clip> find_in_memory(const ClipKey& key);
  void insert_in_memory(const ClipKey& key, std::shared_ptr<const Clip> clip);
  void write(const std::stop_token& stop);

  const uint64_t most_bytes_;
  const std::shared_ptr<FileCache> files_;
  mutable std::mutex mutex_;
  std::list<Entry> order_;  // the last used first
  std::unordered_map<std::string, std::list<Entry>::iterator> entries_;
  uint64_t bytes_ = 0;
  std::condition_variable_any changed_;
  std::deque<Waiting> waiting_;  // for the disk
  std::string writing_;          // content of the clip that is written now
  std::jthread writer_;          // last: it uses the rest
};

}  // namespace prismvid::deep
