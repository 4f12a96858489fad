#include "core/file_cache.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "core/error.h"

namespace prismvid {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLeastFree = uint64_t{1} << 30;
constexpr const char* kInTheMaking = "-new-";  // no file of the cache has such a name
constexpr auto kLongestInTheMaking = std::chrono::hours(1);

bool is_name(const std::string& text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || c == '-' || c == '_' || c == '.'; });
}

struct KeptFile {
  fs::file_time_type used;
  uint64_t bytes;
  fs::path path;
};

/// What a folder holds; nothing of what cannot be read or goes meanwhile.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    entries.push_back(it->path());
  return entries;
}

bool is_old_leftover(const fs::path& file, fs::file_time_type used) {
  return file.filename().string().starts_with(kInTheMaking) &&
         fs::file_time_type::clock::now() - used > kLongestInTheMaking;
}

/// All files of all owners; what a killed process left half made is removed.
std::vector<KeptFile> files_of(const fs::path& folder) {
  std::vector<KeptFile> files;
  for (const fs::path& owner : entries_of(folder))
    for (const fs::path& file : entries_of(owner)) {
      std::error_code gone;
      const auto used = fs::last_write_time(file, gone);
      const uint64_t bytes = gone ? 0 : fs::file_size(file, gone);
      if (gone) continue;
      if (is_old_leftover(file, used))
        fs::remove(file, gone);
      else
        files.push_back({used, bytes, file});
    }
  return files;
}

}  // namespace

FileCache::FileCache(fs::path folder, uint64_t most_bytes)
    : folder_(std::move(folder)), most_bytes_(most_bytes) {}

fs::path FileCache::place(const std::string& owner, const std::string& name) const {
  check(is_name(owner) && is_name(name), ErrorCode::kInternal, "'", owner, "/", name,
        "' cannot be the name of a kept file");
  return folder_ / owner / name;
}

bool FileCache::contains(const std::string& owner, const std::string& name) const {
  std::error_code error;
  return fs::is_regular_file(place(owner, name), error);
}

std::optional<fs::path> FileCache::find(const std::string& owner, const std::string& name) {
  const fs::path file = place(owner, name);
  std::error_code gone;
  fs::last_write_time(file, fs::file_time_type::clock::now(), gone);
  return gone ? std::nullopt : std::optional(file);
}

void FileCache::keep(const std::string& owner, const std::string& name, uint64_t bytes,
                     const Write& write) {
  const fs::path file = place(owner, name);
  if (bytes > most_bytes_ - unseen_room() || contains(owner, name)) return;
  const std::lock_guard lock(mutex_);
  const fs::path making = file.parent_path() / (kInTheMaking + std::to_string(::getpid()) + "-" +
                                                std::to_string(made_++) + "-" + name);
  try {
    fs::create_directories(file.parent_path());
    if (fs::space(folder_).available < bytes + kLeastFree) return;
    write(making);
    unseen_bytes_ += fs::file_size(making);
    fs::rename(making, file);
  } catch (const std::exception&) {  // a full disk only means that nothing is kept
    std::error_code ignored;
    fs::remove(making, ignored);
  }
  if (!std::exchange(looked_through_, true) || unseen_bytes_ > unseen_room()) trim();
}

void FileCache::trim() {
  unseen_bytes_ = 0;
  std::vector<KeptFile> files = files_of(folder_);
  uint64_t total = 0;
  for (const KeptFile& file : files) total += file.bytes;
  const uint64_t most = most_bytes_ - unseen_room();
  if (total <= most) return;
  std::sort(files.begin(), files.end(),
            [](const KeptFile& a, const KeptFile& b) { return a.used < b.used; });
  for (const KeptFile& file : files) {
    if (total <= most) break;
    std::error_code ignored;
    fs::remove(file.path, ignored);
    fs::remove(file.path.parent_path(), ignored);  // only an empty folder goes
    total -= file.bytes;
  }
}

void FileCache::drop(const std::string& owner, const std::string& name) {
  std::error_code ignored;
  fs::remove(place(owner, name), ignored);
}

void FileCache::forget(const std::string& owner) {
  const fs::path folder = place(owner, owner).parent_path();
  const std::lock_guard lock(mutex_);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

void FileCache::forget_all_but(const std::set<std::string>& owners) {
  const std::lock_guard lock(mutex_);
  for (const fs::path& owner : entries_of(folder_)) {
    std::error_code ignored;
    if (!owners.contains(owner.filename().string())) fs::remove_all(owner, ignored);
  }
}

}  // namespace prismvid
