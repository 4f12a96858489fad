#include "pipeline/stage_worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace prismvid::pipeline {
namespace {

using namespace std::chrono_literals;

/// Does what it is told at each sample.
class ScriptedStage : public DetectorStage {
 public:
  explicit ScriptedStage(std::function<void(int64_t frame)> script) : script_(std::move(script)) {}
  void add(const vision::Sample& sample, std::span<const vision::LumaFrame>) override { script_(sample.frame); }
  StageOutput finish(std::span<const vision::LumaFrame>, int64_t) override { return {}; }
  std::vector<Blob> take_early_blobs() override { return std::exchange(early_blobs, {}); }

  std::vector<Blob> early_blobs;

 private:
  std::function<void(int64_t)> script_;
};

RunningStage stage_of(std::function<void(int64_t frame)> script) {
  return {"stage", std::make_unique<ScriptedStage>(std::move(script)), {}, {}};
}

std::shared_ptr<const SampleWork> sample(int64_t frame) {
  auto work = std::make_shared<SampleWork>();
  work->sample.frame = frame;
  return work;
}

TEST(StageWorkerTest, SamplesAreSeenInOrderAndTimed) {
  std::vector<int64_t> seen;
  RunningStage stage = stage_of([&](int64_t frame) { seen.push_back(frame); });
  StageWorker worker(stage, 2);
  for (int64_t i = 0; i < 50; ++i) worker.push(sample(i));
  worker.wait();
  ASSERT_EQ(seen.size(), 50u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(stage.ms_per_sample.size(), 50u);
}

TEST(StageWorkerTest, WhatADetectorGivesEarlyIsHandedOutOnceAndInOrder) {
  RunningStage stage = stage_of([&](int64_t frame) {
    static_cast<ScriptedStage&>(*stage.stage).early_blobs.push_back({"thumb_" + std::to_string(frame), {}});
  });
  StageWorker worker(stage, 2);
  std::vector<std::string> names;
  for (int64_t i = 0; i < 5; ++i) {
    worker.push(sample(i));
    for (const Blob& blob : worker.take_early_blobs()) names.push_back(blob.name);
  }
  worker.wait();
  for (const Blob& blob : worker.take_early_blobs()) names.push_back(blob.name);
  EXPECT_EQ(names, (std::vector<std::string>{"thumb_0", "thumb_1", "thumb_2", "thumb_3", "thumb_4"}));
  EXPECT_TRUE(worker.take_early_blobs().empty());
}

TEST(StageWorkerTest, ASlowDetectorDoesNotHoldUpAnother) {
  std::promise<void> other_is_done;
  std::future<void> done = other_is_done.get_future();
  RunningStage slow = stage_of([&](int64_t) { EXPECT_EQ(done.wait_for(30s), std::future_status::ready); });
  RunningStage quick = stage_of([&](int64_t frame) {
    if (frame == 1) other_is_done.set_value();
  });
  StageWorker slow_worker(slow, 1), quick_worker(quick, 1);
  slow_worker.push(sample(0));
  quick_worker.push(sample(0));
  quick_worker.push(sample(1));
  quick_worker.wait();
  slow_worker.wait();
}

TEST(StageWorkerTest, NoMoreThanAskedForWait) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  RunningStage stage = stage_of([&](int64_t) { released.wait(); });
  StageWorker worker(stage, 2);
  worker.push(sample(0));
  worker.push(sample(1));
  std::atomic<bool> pushed = false;
  std::jthread third([&] {
    worker.push(sample(2));
    pushed = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(pushed);
  release.set_value();
  third.join();
  worker.wait();
  EXPECT_EQ(stage.ms_per_sample.size(), 3u);
}

TEST(StageWorkerTest, AFailedDetectorIsAskedNoMore) {
  int calls = 0;
  RunningStage stage = stage_of([&](int64_t) {
    ++calls;
    fail(ErrorCode::kModel, "broken");
  });
  StageWorker worker(stage, 1);
  worker.push(sample(0));
  worker.push(sample(1));
  worker.wait();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(stage.error.has_value());
}

TEST(StageWorkerTest, WhatIsNoErrorOfOursReachesTheCaller) {
  RunningStage stage = stage_of([](int64_t) { throw std::logic_error("a mistake"); });
  StageWorker worker(stage, 1);
  worker.push(sample(0));
  EXPECT_THROW(worker.wait(), std::logic_error);
}

TEST(StageWorkerTest, ItCanBeGivenUpWithSamplesWaiting) {
  std::promise<void> begun;
  std::atomic<int> calls = 0;
  RunningStage stage = stage_of([&](int64_t) {
    if (++calls == 1) begun.set_value();
    std::this_thread::sleep_for(200ms);
  });
  {
    StageWorker worker(stage, 3);
    for (int64_t i = 0; i < 3; ++i) worker.push(sample(i));
    begun.get_future().wait();
  }
  EXPECT_LT(calls, 3);
}

}  // namespace
}  // namespace prismvid::pipeline
