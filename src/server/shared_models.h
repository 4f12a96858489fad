#pragma once

#include <memory>
#include <mutex>

#include "deep/model.h"

namespace prismvid::server {

/// The deep models of this machine for many threads: one model in memory, one call at a time.
/// Thread-safe, and so are the models it gives out.
class SharedModels : public deep::ModelProvider {
 public:
  explicit SharedModels(int kv_bits = 16) : installed_(kv_bits) {}
  deep::ModelChoice choose(const std::string& name) override;
  std::shared_ptr<deep::Model> open(const deep::ModelChoice& choice) override;

 private:
  std::mutex mutex_;
  deep::InstalledModels installed_;
  std::shared_ptr<std::mutex> turn_ = std::make_shared<std::mutex>();
};

}  // namespace prismvid::server
