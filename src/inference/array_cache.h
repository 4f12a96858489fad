#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/file_cache.h"
#include "nn/mlx.h"

// Inside inference only.
namespace prismvid::inference {

struct ArrayCacheOptions {
  uint64_t memory_bytes = 0;
  std::shared_ptr<FileCache> files;  // where entries go that leave memory; null: nowhere
};

/// Arrays by key, the newest used in memory within a number of bytes, older ones on disk where they
/// have an owner. Damaged files count as missing. Not thread-safe; the arrays belong to the thread
/// that owns the device.
class ArrayCache {
 public:
  using Arrays = std::vector<mx::array>;

  explicit ArrayCache(ArrayCacheOptions options) : options_(std::move(options)) {}

  // Keys are lower-case hexadecimal. `owner` is that of FileCache; without one nothing is looked
  // for or kept on the disk. Whoever uses an entry in memory becomes its owner if it has none.

  /// nullptr where there is none; valid until the next call. What is found is newest now.
  const Arrays* find(const std::string& key, const std::string& owner = {});
  /// In memory.
  bool contains(const std::string& key) const { return entries_.contains(key); }
  /// Makes an entry that is in memory the newest.
  void touch(const std::string& key, const std::string& owner = {});
  /// The arrays are evaluated and own their memory.
  void insert(const std::string& key, Arrays arrays, const std::string& owner = {});

  /// Gives up the oldest entries until no more than `bytes` are in memory.
  void shrink(uint64_t bytes);
  /// Writes all to disk that has an owner, and leaves memory empty.
  void flush() { shrink(0); }
  /// Leaves memory empty.
  void clear();

  uint64_t bytes() const { return bytes_; }
  uint64_t memory_bytes() const { return options_.memory_bytes; }  // at most
  uint64_t hit_bytes() const { return hit_bytes_; }                // found so far

 private:
  struct Entry {
    std::string key;
    std::string owner;
    Arrays arrays;
    uint64_t bytes = 0;
  };
  bool load(const std::string& key, const std::string& owner);
  void save(const Entry& entry);

  const ArrayCacheOptions options_;
  std::list<Entry> order_;  // newest first
  std::unordered_map<std::string, std::list<Entry>::iterator> entries_;
  uint64_t bytes_ = 0;
  uint64_t hit_bytes_ = 0;
};

/// A copy that shares no memory with `array`, to be evaluated.
mx::array owned_copy(const mx::array& array);

}  // namespace prismvid::inference
