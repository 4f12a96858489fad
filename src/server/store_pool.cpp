#include "server/store_pool.h"

#include "store/sqlite_store.h"

namespace prismvid::server {
namespace {

constexpr size_t kMostIdle = 8;

}  // namespace

StorePool::Lease StorePool::borrow() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto store = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(store)};
    }
  }
  return {*this, store::open_sqlite_store(database_)};
}

void StorePool::give_back(std::unique_ptr<store::Store> store) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(store));
}

}  // namespace prismvid::server
