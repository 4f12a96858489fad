#include "inference/array_cache.h"

namespace prismvid::inference {
namespace {

uint64_t bytes_of(const ArrayCache::Arrays& arrays) {
  uint64_t bytes = 0;
  for (const mx::array& array : arrays) bytes += array.nbytes();
  return bytes;
}

std::string file_of(const std::string& key) {
  return key + ".safetensors";
}

}  // namespace

const ArrayCache::Arrays* ArrayCache::find(const std::string& key, const std::string& owner) {
  if (!contains(key) && !load(key, owner)) return nullptr;
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return nullptr;  // larger than all of the cache
  touch(key, owner);
  hit_bytes_ += entry->second->bytes;
  return &entry->second->arrays;
}

void ArrayCache::touch(const std::string& key, const std::string& owner) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return;
  order_.splice(order_.begin(), order_, entry->second);
  if (entry->second->owner.empty()) entry->second->owner = owner;
}

void ArrayCache::insert(const std::string& key, Arrays arrays, const std::string& owner) {
  const uint64_t bytes = bytes_of(arrays);
  if (bytes > options_.memory_bytes || contains(key)) return;
  shrink(options_.memory_bytes - bytes);
  order_.push_front({key, owner, std::move(arrays), bytes});
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
}

void ArrayCache::clear() {
  entries_.clear();
  order_.clear();
  bytes_ = 0;
}

bool ArrayCache::load(const std::string& key, const std::string& owner) {
  if (!options_.files || owner.empty()) return false;
  const auto file = options_.files->find(owner, file_of(key));
  if (!file) return false;
  try {
    auto [tensors, metadata] = mx::load_safetensors(file->string());
    Arrays arrays;
    for (size_t i = 0; i < tensors.size(); ++i) arrays.push_back(tensors.at(std::to_string(i)));
    mx::eval(arrays);
    insert(key, std::move(arrays), owner);
    return true;
  } catch (const std::exception&) {  // damaged or gone: made anew
    options_.files->drop(owner, file_of(key));
    return false;
  }
}

void ArrayCache::save(const Entry& entry) {
  if (!options_.files || entry.owner.empty()) return;
  options_.files->keep(entry.owner, file_of(entry.key), entry.bytes, [&](const auto& file) {
    std::unordered_map<std::string, mx::array> tensors;
    for (size_t i = 0; i < entry.arrays.size(); ++i)
      tensors.emplace(std::to_string(i), entry.arrays[i]);
    mx::save_safetensors(file.string(), tensors);
  });
}

mx::array owned_copy(const mx::array& array) {
  return mx::add(array, mx::zeros({}, array.dtype()));
}

}  // namespace prismvid::inference
