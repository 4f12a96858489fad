#pragma once

#include <map>
#include <memory>
#include <string>

namespace prismvid::pipeline {

/// What detectors have loaded, for the next video of a run: compiling it takes as long as watching some seconds of video.
/// Keeps nothing until keep() is called, since one video does better with the memory free again. Not thread-safe.
class KeptNetworks {
 public:
  void keep() { keeping_ = true; }

  /// The T that `make` gave for `key` before, or gives now. A key stands for one type, and for all that `make` depends on.
  template <typename T, typename Make>
  std::shared_ptr<T> get(const std::string& key, Make make) {
    if (const auto found = kept_.find(key); found != kept_.end()) return std::static_pointer_cast<T>(found->second);
    std::shared_ptr<T> made = make();
    if (keeping_) kept_[key] = made;
    return made;
  }

 private:
  bool keeping_ = false;
  std::map<std::string, std::shared_ptr<void>> kept_;
};

}  // namespace prismvid::pipeline
