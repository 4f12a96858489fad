#include "media/prefetching_source.h"

#include <algorithm>
#include <utility>

namespace prismvid::media {
namespace {

size_t frames_that_fit(Size size, size_t most_frames, size_t most_bytes) {
  const size_t bytes =
      static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * 3 / 2;  // 4:2:0, 8 bit
  return std::clamp<size_t>(most_bytes / std::max<size_t>(1, bytes), 1,
                            std::max<size_t>(1, most_frames));
}

}  // namespace

PrefetchingSource::PrefetchingSource(std::unique_ptr<FrameSource> source, size_t most_frames,
                                     size_t most_bytes)
    : source_(std::move(source)),
      capacity_(frames_that_fit(source_->info().coded_size, most_frames, most_bytes)),
      info_(source_->info()),
      warnings_(source_->warnings()) {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

PrefetchingSource::~PrefetchingSource() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

PrefetchingSource::Item PrefetchingSource::decode() {
  try {
    return {source_->next(), nullptr};
  } catch (...) {
    return {nullptr, std::current_exception()};
  }
}

void PrefetchingSource::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    Item item = decode();
    const bool last = item.frame == nullptr;
    std::vector<std::string> warnings = source_->warnings();
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return queue_.size() < capacity_; })) return;
    queue_.push_back(std::move(item));
    warnings_ = std::move(warnings);
    changed_.notify_all();
    if (last) return;
  }
}

std::shared_ptr<const Frame> PrefetchingSource::next() {
  if (finished_) return nullptr;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !queue_.empty(); });
  Item item = std::move(queue_.front());
  queue_.pop_front();
  lock.unlock();
  changed_.notify_all();
  if (item.frame) return item.frame;
  finished_ = true;
  thread_.join();
  info_ = source_->info();
  if (item.error) std::rethrow_exception(item.error);
  return nullptr;
}

std::vector<std::string> PrefetchingSource::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

}  // namespace prismvid::media
