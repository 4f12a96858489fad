#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "store/job_store.h"
#include "store_fixture.h"

namespace prismvid::store {
namespace {

constexpr int64_t kLong = 3'600'000;

class JobsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    open();
    jobs_ = open_job_store(address_);
  }

  JobRecord add(const std::string& key = "", int priority = 0, const std::string& request = "{}") {
    NewJob job;
    job.idempotency_key = key;
    job.request_json = request;
    job.priority = priority;
    return jobs_->add(job).job;
  }

  std::unique_ptr<JobStore> jobs_;
};

TEST_P(JobsTest, JobsAreTakenByPriorityThenInOrder) {
  const std::string first = add().id, urgent = add("", 5).id, last = add().id;
  EXPECT_EQ(jobs_->ahead_of(*jobs_->find(last)), 2);
  EXPECT_EQ(jobs_->claim("w", kLong, 3)->job.id, urgent);
  EXPECT_EQ(jobs_->claim("w", kLong, 3)->job.id, first);
  EXPECT_EQ(jobs_->claim("w", kLong, 3)->job.id, last);
  EXPECT_FALSE(jobs_->claim("w", kLong, 3));
}

TEST_P(JobsTest, TheSameIdempotencyKeyGivesTheSameJob) {
  NewJob job;
  job.idempotency_key = "key";
  const auto first = jobs_->add(job), second = jobs_->add(job);
  EXPECT_TRUE(first.fresh);
  EXPECT_FALSE(second.fresh);
  EXPECT_EQ(first.job.id, second.job.id);
  job.owner = "k_2";
  EXPECT_TRUE(jobs_->add(job).fresh) << "keys of two callers have nothing to do with each other";
}

TEST_P(JobsTest, AJobWhoseLeaseRanOutIsTakenOverAndTheOldWorkerCanChangeNothing) {
  add();
  const Claim dead = *jobs_->claim("dead", -1, 3);
  const Claim next = *jobs_->claim("next", kLong, 3);
  EXPECT_EQ(next.job.id, dead.job.id);
  EXPECT_EQ(next.job.attempts, 2);
  EXPECT_EQ(jobs_->renew(dead.lease, kLong), JobStore::Held::kLost);
  EXPECT_FALSE(jobs_->report(dead.lease, "{}"));
  EXPECT_FALSE(jobs_->finish(dead.lease, "failed", "null"));
  EXPECT_TRUE(jobs_->finish(next.lease, "done", "null"));
  EXPECT_FALSE(jobs_->finish(next.lease, "done", "null")) << "a job ends once";
  EXPECT_EQ(jobs_->find(next.job.id)->state, "done");
}

TEST_P(JobsTest, AJobThatKillsItsWorkersEndsAsFailed) {
  const std::string id = add().id;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(jobs_->claim("w", -1, 3));
  EXPECT_FALSE(jobs_->claim("w", -1, 3));
  EXPECT_EQ(jobs_->find(id)->state, "failed");
  EXPECT_THAT(jobs_->find(id)->error_json, testing::HasSubstr("worker_died"));
}

TEST_P(JobsTest, AJobThatWasGivenBackHasLostNothing) {
  add();
  const Claim first = *jobs_->claim("w", kLong, 1);
  EXPECT_TRUE(jobs_->give_back(first.lease));
  EXPECT_EQ(jobs_->find(first.job.id)->state, "queued");
  EXPECT_EQ(jobs_->claim("w", kLong, 1)->job.attempts, 1);
}

TEST_P(JobsTest, CancellingEndsAQueuedJobAndTellsARunningOne) {
  const std::string running = add().id, queued = add().id;
  const Claim claim = *jobs_->claim("w", kLong, 3);
  EXPECT_EQ(jobs_->cancel(queued)->state, "cancelled");
  EXPECT_EQ(jobs_->cancel(running)->state, "running");
  EXPECT_EQ(jobs_->renew(claim.lease, kLong), JobStore::Held::kCancel);
  EXPECT_FALSE(jobs_->cancel("j_99"));
  EXPECT_FALSE(jobs_->claim("w", kLong, 3).has_value());
}

TEST_P(JobsTest, EndedJobsAreForgottenByNumberAndAgeAndOthersNever) {
  std::vector<std::string> ended;
  for (int i = 0; i < 4; ++i) {
    ended.push_back(add("key" + std::to_string(i)).id);
    jobs_->cancel(ended.back());
  }
  NewJob told;
  told.webhook_url = "http://somewhere/";
  const std::string untold = jobs_->add(told).job.id;
  jobs_->cancel(untold);
  const std::string queued = add().id;
  EXPECT_EQ(jobs_->forget_ended(kLong, 3), 2);  // of five ended ones
  EXPECT_FALSE(jobs_->find(ended[1]).has_value());
  EXPECT_TRUE(jobs_->events_after(ended[1], 0).empty());
  EXPECT_TRUE(jobs_->find(ended[2]).has_value());
  EXPECT_EQ(jobs_->forget_ended(kLong, 3), 0);
  EXPECT_NE(add("key0").id, ended[0]) << "its idempotency key went with it";
  EXPECT_EQ(jobs_->forget_ended(-10, 100), 2) << "all that ended before 10 s from now";
  EXPECT_TRUE(jobs_->find(untold).has_value()) << "its webhook is not sent yet";
  EXPECT_TRUE(jobs_->find(queued).has_value());
}

TEST_P(JobsTest, EventsComeInOrderAndProgressOnlyOnce) {
  add();
  const Claim claim = *jobs_->claim("w", kLong, 3);
  jobs_->add_event(claim.lease, "stage", "{}");
  jobs_->report(claim.lease, R"({"n":1})");
  jobs_->report(claim.lease, R"({"n":2})");
  jobs_->finish(claim.lease, "failed", R"({"code":"x"})");
  std::vector<std::string> kinds;
  int64_t last = 0;
  for (const JobEvent& event : jobs_->events_after(claim.job.id, 0)) {
    kinds.push_back(event.kind);
    EXPECT_GT(event.sequence, last);
    last = event.sequence;
  }
  EXPECT_THAT(kinds, testing::ElementsAre("stage", "progress", "error", "done"));
  EXPECT_TRUE(jobs_->events_after(claim.job.id, last).empty());
  EXPECT_EQ(jobs_->jobs_with_events_after(0).at(claim.job.id), last);
}

TEST_P(JobsTest, ManyWorkersTakeEachJobOnce) {
  constexpr int kJobs = 60, kWorkers = 4;
  for (int i = 0; i < kJobs; ++i) add();
  std::vector<std::vector<std::string>> taken(kWorkers);
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < kWorkers; ++w)
      workers.emplace_back([&, w] {
        const auto jobs = open_job_store(address_);
        while (const auto claim = jobs->claim("w" + std::to_string(w), kLong, 3)) {
          taken[static_cast<size_t>(w)].push_back(claim->job.id);
          jobs->finish(claim->lease, "done", "null");
        }
      });
  }
  std::multiset<std::string> all;
  for (const auto& ids : taken) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kJobs));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), static_cast<size_t>(kJobs));
  EXPECT_EQ(jobs_->count_by_state()["done"], kJobs);
}

INSTANTIATE_TEST_SUITE_P(Both, JobsTest, kBoth, dialect_name);

}  // namespace
}  // namespace prismvid::store
