#include "deep/clip_cache.h"

#include <utility>

namespace prismvid::deep {
namespace {

/// A frame that is shown again is held once.
uint64_t bytes_of(const Clip& clip) {
  uint64_t bytes = 0;
  const Image* before = nullptr;
  for (const auto& frame : clip.frames)
    if (frame.get() != std::exchange(before, frame.get()))
      bytes += static_cast<uint64_t>(frame->stride()) * static_cast<uint64_t>(frame->height());
  return bytes;
}

}  // namespace

std::shared_ptr<const Clip> ClipCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->clip;
}

void ClipCache::insert(const std::string& key, std::shared_ptr<const Clip> clip) {
  const uint64_t bytes = bytes_of(*clip);
  const std::lock_guard lock(mutex_);
  if (bytes > most_bytes_ || entries_.contains(key)) return;
  order_.push_front({key, std::move(clip), bytes});
  entries_[key] = order_.begin();
  bytes_ += bytes;
  while (bytes_ > most_bytes_) {
    bytes_ -= order_.back().bytes;
    entries_.erase(order_.back().key);
    order_.pop_back();
  }
}

uint64_t ClipCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace prismvid::deep
