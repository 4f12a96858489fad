#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "store/store.h"

namespace prismvid::server {

/// Connections to one database, lent to one thread at a time. Thread-safe.
class StorePool {
 public:
  explicit StorePool(std::filesystem::path database) : database_(std::move(database)) {}

  /// Gives its connection back when it goes.
  class Lease {
   public:
    Lease(StorePool& pool, std::unique_ptr<store::Store> store)
        : pool_(&pool), store_(std::move(store)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (store_) pool_->give_back(std::move(store_));
    }
    store::Store& operator*() const { return *store_; }
    store::Store* operator->() const { return store_.get(); }

   private:
    StorePool* pool_;
    std::unique_ptr<store::Store> store_;
  };

  /// Opens another connection where all are lent. Throws Error(kStore).
  Lease borrow();
  const std::filesystem::path& database() const { return database_; }

 private:
  void give_back(std::unique_ptr<store::Store> store);

  std::filesystem::path database_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<store::Store>> idle_;
};

}  // namespace prismvid::server
