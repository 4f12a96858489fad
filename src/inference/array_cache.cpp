#include "inference/array_cache.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".safetensors";

uint64_t bytes_of(const ArrayCache::Arrays& arrays) {
  uint64_t bytes = 0;
  for (const mx::array& array : arrays) bytes += array.nbytes();
  return bytes;
}

}  // namespace

ArrayCache::ArrayCache(ArrayCacheOptions options) : options_(std::move(options)) {
  if (options_.folder.empty()) return;
  std::error_code error;
  fs::create_directories(options_.folder, error);
  check(!error, ErrorCode::kUnreadable, "cannot make the cache folder ", options_.folder.string(),
        ": ", error.message());
  for (const auto& file : fs::directory_iterator(options_.folder))
    if (file.path().extension() == kExtension) disk_bytes_ += file.file_size();
}

const ArrayCache::Arrays* ArrayCache::find(const std::string& key) {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) {
    if (!load(key)) return nullptr;
    entry = entries_.find(key);
    if (entry == entries_.end()) return nullptr;  // larger than all of the cache
  }
  order_.splice(order_.begin(), order_, entry->second);
  hit_bytes_ += entry->second->bytes;
  return &entry->second->arrays;
}

void ArrayCache::touch(const std::string& key) {
  if (const auto entry = entries_.find(key); entry != entries_.end())
    order_.splice(order_.begin(), order_, entry->second);
}

void ArrayCache::insert(const std::string& key, Arrays arrays) {
  const uint64_t bytes = bytes_of(arrays);
  if (bytes > options_.memory_bytes || contains(key)) return;
  shrink(options_.memory_bytes - bytes);
  order_.push_front({key, std::move(arrays), bytes});
  entries_[key] = order_.begin();
  bytes_ += bytes;
}

void ArrayCache::shrink(uint64_t bytes) {
  while (bytes_ > bytes) {
    const Entry& oldest = order_.back();
    save(oldest);
    bytes_ -= oldest.bytes;
    entries_.erase(oldest.key);
    order_.pop_back();
  }
  trim_disk();
}

fs::path ArrayCache::file_of(const std::string& key) const {
  return options_.folder / (key + kExtension);
}

bool ArrayCache::load(const std::string& key) {
  if (options_.folder.empty() || !fs::exists(file_of(key))) return false;
  try {
    auto [tensors, metadata] = mx::load_safetensors(file_of(key).string());
    Arrays arrays;
    for (size_t i = 0; i < tensors.size(); ++i) arrays.push_back(tensors.at(std::to_string(i)));
    mx::eval(arrays);
    fs::last_write_time(file_of(key), fs::file_time_type::clock::now());
    insert(key, std::move(arrays));
    return true;
  } catch (const std::exception&) {  // damaged or gone: made anew
    std::error_code ignored;
    fs::remove(file_of(key), ignored);
    return false;
  }
}

// Under another name first, so that a crash leaves no half file.
void ArrayCache::save(const Entry& entry) {
  const fs::path file = file_of(entry.key);
  if (options_.folder.empty() || entry.bytes > options_.disk_bytes || fs::exists(file)) return;
  try {
    std::unordered_map<std::string, mx::array> tensors;
    for (size_t i = 0; i < entry.arrays.size(); ++i)
      tensors.emplace(std::to_string(i), entry.arrays[i]);
    const fs::path partial = options_.folder / (entry.key + ".part" + kExtension);
    mx::save_safetensors(partial.string(), tensors);
    fs::rename(partial, file);
    disk_bytes_ += fs::file_size(file);
  } catch (const std::exception&) {  // a full disk only means that nothing is kept
  }
}

void ArrayCache::trim_disk() {
  if (options_.folder.empty() || disk_bytes_ <= options_.disk_bytes) return;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (const auto& file : fs::directory_iterator(options_.folder))
    if (file.path().extension() == kExtension)
      files.emplace_back(file.last_write_time(), file.path());
  std::sort(files.begin(), files.end());
  for (const auto& [time, path] : files) {
    if (disk_bytes_ <= options_.disk_bytes) return;
    std::error_code ignored;
    const uint64_t size = fs::file_size(path, ignored);
    fs::remove(path, ignored);
    disk_bytes_ -= std::min(disk_bytes_, size);
  }
}

mx::array owned_copy(const mx::array& array) {
  return mx::add(array, mx::zeros({}, array.dtype()));
}

}  // namespace prismvid::inference
