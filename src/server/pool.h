#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/job_store.h"
#include "store/store.h"

namespace prismvid::server {

/// Connections to a database, lent to one thread at a time. Thread-safe.
template <typename Connection>
class Pool {
 public:
  using Open = std::function<std::unique_ptr<Connection>()>;
  explicit Pool(Open open) : open_(std::move(open)) {}

  /// Gives its connection back when it goes.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&&) noexcept = default;
    ~Lease() {
      if (connection_) pool_->give_back(std::move(connection_));
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Opens another connection where all are lent. Throws what opening throws.
  Lease borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return {*this, std::move(connection)};
      }
    }
    return {*this, open_()};
  }

 private:
  static constexpr size_t kMostIdle = 8;

  void give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
  }

  Open open_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

using StorePool = Pool<store::Store>;
using JobPool = Pool<store::JobStore>;

}  // namespace prismvid::server
