#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace prismvid::pipeline {

/// What detectors have loaded, for the next video of a run: compiling it takes as long as watching some seconds of video.
/// Keeps nothing until keep() is called, since one video does better with the memory free again. Threads may get() at the same
/// time, each another key; what is missing is then made side by side.
class KeptNetworks {
 public:
  void keep() { keeping_ = true; }

  /// The T that `make` gave for `key` before, or gives now. A key stands for one type, and for all that `make` depends on.
  template <typename T, typename Make>
  std::shared_ptr<T> get(const std::string& key, Make make) {
    if (std::shared_ptr<void> kept = find(key)) return std::static_pointer_cast<T>(std::move(kept));
    std::shared_ptr<T> made = make();
    const std::lock_guard lock(mutex_);
    if (keeping_) kept_[key] = made;
    return made;
  }

 private:
  std::shared_ptr<void> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(key);
    return found == kept_.end() ? nullptr : found->second;
  }

  std::mutex mutex_;
  bool keeping_ = false;
  std::map<std::string, std::shared_ptr<void>> kept_;
};

}  // namespace prismvid::pipeline
