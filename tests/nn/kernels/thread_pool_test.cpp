#include "nn/kernels/thread_pool.h"

#include <gtest/gtest.h>

#include <numeric>

namespace prismvid::nn::kernels {
namespace {

TEST(ThreadPool, RunsEachTaskOnceInManyShortRounds) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 300; ++round) {
      std::vector<int> runs(round % 37, 0);
      pool.parallel_for(static_cast<int>(runs.size()), [&](int i) { ++runs[i]; });
      for (int count : runs) ASSERT_EQ(count, 1);
    }
  }
}

TEST(TaskRange, GivesItsOwnerTheFirstTasksAndOthersTheLast) {
  TaskRange range;
  EXPECT_FALSE(range.take_first());
  range.set(3, 6);
  EXPECT_EQ(range.take_first(), 3);
  EXPECT_EQ(range.take_last(), 5);
  EXPECT_EQ(range.take_last(), 4);
  EXPECT_FALSE(range.take_first());
  EXPECT_FALSE(range.take_last());
}

TEST(ThreadPool, WakesSleepingThreads) {
  ThreadPool pool(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> sum{0};
    pool.parallel_for(100, [&](int i) { sum += i; });
    EXPECT_EQ(sum, 4950);
  }
}

TEST(ThreadPool, ServesCallersAtTheSameTimeAndCallsFromInsideATask) {
  ThreadPool pool(2);
  std::atomic<int> sum{0};
  const auto call = [&] {
    for (int round = 0; round < 50; ++round)
      pool.parallel_for(4, [&](int) { pool.parallel_for(3, [&](int) { ++sum; }); });
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(sum, 2 * 50 * 4 * 3);
}

}  // namespace
}  // namespace prismvid::nn::kernels
