#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/job_store.h"
#include "store/store.h"

namespace prismvid::server {

/// Connections to a database, lent to one thread at a time. Thread-safe: hundreds of streams that
/// wake together take turns on a few.
template <typename Connection>
class Pool {
 public:
  using Open = std::function<std::unique_ptr<Connection>()>;
  static constexpr size_t kMost = 12;  // lent at a time
  explicit Pool(Open open, std::chrono::milliseconds patience = std::chrono::seconds(2))
      : open_(std::move(open)), patience_(patience) {}

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

  /// Opens another connection where fewer than kMost are lent, else waits for one. After its
  /// patience it opens one all the same: a holder may itself be waiting for another pool's. Throws
  /// what opening throws.
  Lease borrow() {
    std::unique_lock lock(mutex_);
    given_back_.wait_for(lock, patience_, [this] { return !idle_.empty() || lent_ < kMost; });
    ++lent_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(connection)};
    }
    lock.unlock();
    try {
      return {*this, open_()};
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }

 private:
  void give_back(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      --lent_;
      if (connection && idle_.size() < kMost) idle_.push_back(std::move(connection));
    }
    given_back_.notify_one();
  }

  Open open_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  size_t lent_ = 0;
  std::vector<std::unique_ptr<Connection>> idle_;
};

using StorePool = Pool<store::Store>;
using JobPool = Pool<store::JobStore>;

}  // namespace prismvid::server
