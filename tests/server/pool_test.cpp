#include "server/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

namespace prismvid::server {
namespace {

struct Opened {
  std::atomic<int>& open;
  explicit Opened(std::atomic<int>& count) : open(count) { ++open; }
  ~Opened() { --open; }
};

using OpenedPool = Pool<Opened>;

TEST(Pool, ManyBorrowersTakeTurnsOnAFewConnections) {
  std::atomic<int> open = 0, most = 0, borrowed = 0;
  OpenedPool pool([&] { return std::make_unique<Opened>(open); });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 100; ++i)
    threads.emplace_back([&] {
      const auto lease = pool.borrow();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      most = std::max(most.load(), open.load());
      ++borrowed;
    });
  threads.clear();
  EXPECT_EQ(borrowed, 100);
  EXPECT_GT(most, 1);
  EXPECT_LE(most, static_cast<int>(OpenedPool::kMost));
}

TEST(Pool, AHolderThatWaitsForAnotherIsNotLockedUp) {
  std::atomic<int> open = 0;
  OpenedPool pool([&] { return std::make_unique<Opened>(open); }, std::chrono::milliseconds(20));
  std::vector<OpenedPool::Lease> held;
  for (size_t i = 0; i < OpenedPool::kMost; ++i) held.push_back(pool.borrow());
  const auto one_more = pool.borrow();
  EXPECT_EQ(open, static_cast<int>(OpenedPool::kMost) + 1);
}

TEST(Pool, AConnectionThatCannotBeOpenedTakesNobodysPlace) {
  std::atomic<int> open = 0;
  bool works = false;
  const auto open_if_it_works = [&]() -> std::unique_ptr<Opened> {
    if (!works) throw std::runtime_error("no database");
    return std::make_unique<Opened>(open);
  };
  OpenedPool pool(open_if_it_works, std::chrono::hours(1));  // would wait if a place were taken
  for (size_t i = 0; i < OpenedPool::kMost; ++i) EXPECT_THROW(pool.borrow(), std::runtime_error);
  works = true;
  const auto lease = pool.borrow();
  EXPECT_EQ(open, 1);
}

}  // namespace
}  // namespace prismvid::server
