#include "server/shared_models.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "inference/engine.h"
#include "inference/tiny_checkpoint.h"
#include "support/synthetic_clip.h"

namespace prismvid::server {
namespace {

using testing::HasSubstr;

/// A tiny checkpoint and another one.
class SharedModelsTest : public testing::Test {
 protected:
  SharedModels models_;
  deep::ModelChoice one_ = models_.choose(inference::checkpoint("dense_tied").string());
  deep::ModelChoice other_ = models_.choose(inference::checkpoint("moe").string());
};

/// Long enough to meet the others in the engine.
std::vector<deep::Request> requests(int count) {
  std::vector<deep::Request> all(static_cast<size_t>(count));
  for (deep::Request& request : all) {
    request.prompt = "What is it?";
    request.max_tokens = 200;
  }
  return all;
}

TEST_F(SharedModelsTest, EverybodyGetsTheSameModel) {
  const auto first = models_.open(one_), second = models_.open(one_);
  EXPECT_EQ(first, second);
  EXPECT_EQ(JobModels(models_, {}).open(one_), first);
  EXPECT_EQ(models_.bytes_to_open(one_), 0u) << "it is in memory already";
  EXPECT_GT(models_.bytes_to_open(other_), 0u);
}

TEST_F(SharedModelsTest, WhatSeveralAskIsAnsweredSideBySide) {
  const auto model = models_.open(one_);
  std::vector<std::jthread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&] {
      int replies = 0;
      model->ask(requests(2), [&](size_t, const deep::Reply&) { ++replies; }, {});
      EXPECT_EQ(replies, 2);
    });
  callers.clear();
  EXPECT_EQ(model->engine()->metrics().answered, 6u);
  EXPECT_GT(model->engine()->metrics().largest_batch, 2) << "a caller has two at most";
}

TEST_F(SharedModelsTest, APersonIsTurnedAwayWhileAnotherModelWorksAndAJobWaits) {
  auto held = models_.open(one_);
  try {
    models_.open(other_);
    FAIL() << "two models are in memory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("is at work"));
  }
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(models_.wait_to_open(other_, stop.get_token()), Error);

  std::shared_ptr<deep::Model> waited;
  std::jthread job([&] { waited = models_.wait_to_open(other_, {}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  held.reset();
  job.join();
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->card().sha256, other_.card.sha256);
}

TEST_F(SharedModelsTest, AChangedCheckpointIsNoticedAtOnce) {
  const tests::TemporaryFolder folder;
  std::filesystem::copy(inference::checkpoint("dense_tied"), folder.path() / "model");
  const std::string name = (folder.path() / "model").string();
  const deep::ModelChoice before = models_.choose(name);
  EXPECT_EQ(models_.choose(name).card.sha256, before.card.sha256);
  std::ofstream(folder.path() / "model" / "prismvid.json") << R"({"window_seconds": 7})";
  const deep::ModelChoice after = models_.choose(name);
  EXPECT_NE(after.card.sha256, before.card.sha256);
  EXPECT_EQ(after.feeding.window_us, 7'000'000);
  std::filesystem::remove_all(folder.path() / "model");
  EXPECT_THROW(models_.choose(name), Error);
}

TEST_F(SharedModelsTest, TheLoadedOneCanBeLookedAt) {
  int looks = 0;
  models_.look_at_loaded([&](deep::Model&) { ++looks; });
  EXPECT_EQ(looks, 0) << "nothing was loaded yet";
  models_.open(one_);
  models_.look_at_loaded([&](deep::Model& model) {
    ++looks;
    EXPECT_EQ(model.card().sha256, one_.card.sha256);
  });
  EXPECT_EQ(looks, 1);
}

}  // namespace
}  // namespace prismvid::server
