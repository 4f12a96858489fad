#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace prismvid {

/// Files that can be made again, within a number of bytes on the disk: those not used for longest
/// go first. Each belongs to an owner, whose files go together. A file is there whole or not at
/// all; what the disk refuses is not kept. Thread-safe; several processes may use one folder.
class FileCache {
 public:
  /// Writes the whole file under the name given. What it throws means that nothing is kept.
  using Write = std::function<void(const std::filesystem::path& file)>;

  /// `folder` belongs to the cache alone; it is made with the first file.
  FileCache(std::filesystem::path folder, uint64_t most_bytes);

  // Owners and names are of lower-case letters, digits, '-', '_' and '.', and begin with none of
  // these three. Others throw Error(kInternal).

  bool contains(const std::string& owner, const std::string& name) const;
  /// Where the file is, which is the last used now; nullopt where there is none. Another process
  /// may remove it at any time.
  std::optional<std::filesystem::path> find(const std::string& owner, const std::string& name);
  /// Makes a file of `bytes`, about, unless it is there, or larger than all, or would leave less
  /// than a gigabyte free on the disk.
  void keep(const std::string& owner, const std::string& name, uint64_t bytes, const Write& write);
  /// One that turned out to be damaged.
  void drop(const std::string& owner, const std::string& name);

  /// All files of the owner.
  void forget(const std::string& owner);
  /// The files of all others, also those of other processes.
  void forget_all_but(const std::set<std::string>& owners);

 private:
  std::filesystem::path place(const std::string& owner, const std::string& name) const;
  /// Each process looks again after a sixteenth of all, since others write too.
  uint64_t unseen_room() const { return most_bytes_ / 16; }
  void trim();

  const std::filesystem::path folder_;
  const uint64_t most_bytes_;
  std::mutex mutex_;           // held while a file is made, so that forget() leaves none behind
  uint64_t unseen_bytes_ = 0;  // made since the folder was looked through
  bool looked_through_ = false;
  uint64_t made_ = 0;  // files, for their names in the making
};

}  // namespace prismvid
