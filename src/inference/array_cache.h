#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "nn/mlx.h"

// Inside inference only.
namespace prismvid::inference {

struct ArrayCacheOptions {
  uint64_t memory_bytes = 0;
  std::filesystem::path folder;  // where entries go that leave memory; empty: nowhere
  uint64_t disk_bytes = 0;
};

/// Arrays by key, the newest used in memory, older ones on disk, each within a number of bytes.
/// Damaged files count as missing. Not thread-safe; the arrays belong to the thread that owns the
/// device.
class ArrayCache {
 public:
  using Arrays = std::vector<mx::array>;

  /// Throws Error(kUnreadable) when the folder cannot be made.
  explicit ArrayCache(ArrayCacheOptions options);

  /// nullptr where there is none; valid until the next call. What is found is newest now.
  const Arrays* find(const std::string& key);
  bool contains(const std::string& key) const { return entries_.contains(key); }
  /// Makes an entry that is in memory the newest.
  void touch(const std::string& key);
  /// `key` is lower-case hexadecimal. The arrays are evaluated and own their memory.
  void insert(const std::string& key, Arrays arrays);

  /// Gives up the oldest entries until no more than `bytes` are in memory.
  void shrink(uint64_t bytes);
  /// Writes all to disk, if there is a folder, and leaves memory empty.
  void flush() { shrink(0); }

  uint64_t bytes() const { return bytes_; }
  uint64_t memory_bytes() const { return options_.memory_bytes; }  // at most
  uint64_t hit_bytes() const { return hit_bytes_; }                // found so far

 private:
  struct Entry {
    std::string key;
    Arrays arrays;
    uint64_t bytes = 0;
  };
  std::filesystem::path file_of(const std::string& key) const;
  bool load(const std::string& key);
  void save(const Entry& entry);
  void trim_disk();

  const ArrayCacheOptions options_;
  std::list<Entry> order_;  // newest first
  std::unordered_map<std::string, std::list<Entry>::iterator> entries_;
  uint64_t bytes_ = 0;
  uint64_t hit_bytes_ = 0;
  uint64_t disk_bytes_ = 0;
};

/// A copy that shares no memory with `array`, to be evaluated.
mx::array owned_copy(const mx::array& array);

}  // namespace prismvid::inference
