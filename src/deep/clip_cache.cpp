#include "deep/clip_cache.h"

#include <spdlog/spdlog.h>

#include "core/sha256.h"
#include "core/stopwatch.h"
#include "deep/clip_file.h"

namespace prismvid::deep {
namespace {

constexpr size_t kMostWaiting =
    16;  // for the disk; what comes while it is slower is not kept there

std::string text_of(const ClipKey& key) {
  return key.content + " " + key.shown;
}

std::string file_of(const ClipKey& key) {
  return sha256_hex(key.shown) + ".clip";
}

}  // namespace

ClipCache::ClipCache(uint64_t most_bytes, std::shared_ptr<FileCache> files)
    : most_bytes_(most_bytes), files_(std::move(files)) {
  if (files_) writer_ = std::jthread([this](const std::stop_token& stop) { write(stop); });
}

ClipCache::~ClipCache() = default;

std::shared_ptr<const Clip> ClipCache::find(const ClipKey& key) {
  if (auto known = find_in_memory(key)) return known;
  if (!files_) return nullptr;
  const auto file = files_->find(key.content, file_of(key));
  if (!file) return nullptr;
  const Stopwatch watch;
  auto clip = read_clip(*file, text_of(key));
  if (!clip) {
    files_->drop(key.content, file_of(key));
    return nullptr;
  }
  spdlog::debug("clip of {} frames: read in {:.1f} ms", clip->frames.size(),
                1000 * watch.seconds());
  const std::lock_guard lock(mutex_);
  insert_in_memory(key, clip);
  return clip;
}

std::shared_ptr<const Clip> ClipCache::find_in_memory(const ClipKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(text_of(key));
  if (found == entries_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->clip;
}

bool ClipCache::contains(const ClipKey& key) const {
  {
    const std::lock_guard lock(mutex_);
    if (entries_.contains(text_of(key))) return true;
  }
  return files_ && files_->contains(key.content, file_of(key));
}

void ClipCache::insert(const ClipKey& key, std::shared_ptr<const Clip> clip) {
  const std::lock_guard lock(mutex_);
  insert_in_memory(key, clip);
  if (!files_ || waiting_.size() == kMostWaiting) return;
  waiting_.push_back({key, std::move(clip)});
  changed_.notify_all();
}

void ClipCache::insert_in_memory(const ClipKey& key, std::shared_ptr<const Clip> clip) {
  const uint64_t bytes = bytes_of(*clip);
  const std::string text = text_of(key);
  if (bytes > most_bytes_ || entries_.contains(text)) return;
  order_.push_front({key, std::move(clip), bytes});
  entries_[text] = order_.begin();
  bytes_ += bytes;
  while (bytes_ > most_bytes_) {
    bytes_ -= order_.back().bytes;
    entries_.erase(text_of(order_.back().key));
    order_.pop_back();
  }
}

/// Until `stop` is requested and nothing waits any more.
void ClipCache::write(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, stop, [&] { return !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = next.key.content;
    lock.unlock();
    files_->keep(next.key.content, file_of(next.key), bytes_of(*next.clip),
                 [&](const auto& file) { write_clip(file, text_of(next.key), *next.clip); });
    lock.lock();
    writing_.clear();
    changed_.notify_all();
  }
}

void ClipCache::forget(const std::string& content) {
  std::unique_lock lock(mutex_);
  for (auto it = order_.begin(); it != order_.end();) {
    const auto entry = it++;
    if (entry->key.content != content) continue;
    bytes_ -= entry->bytes;
    entries_.erase(text_of(entry->key));
    order_.erase(entry);
  }
  std::erase_if(waiting_, [&](const Waiting& one) { return one.key.content == content; });
  changed_.wait(lock, [&] { return writing_ != content; });
  if (files_) files_->forget(content);
}

void ClipCache::start_anew() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.empty() && writing_.empty(); });
  entries_.clear();
  order_.clear();
  bytes_ = 0;
}

uint64_t ClipCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace prismvid::deep
