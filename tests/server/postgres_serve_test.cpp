#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "served_program.h"
#include "support/postgres_server.h"
#include "support/synthetic_clip.h"

// One PostgreSQL of several processes, and what happens when it dies.
namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PostgresServeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    database_ = PostgresServer::get(why);
    if (!database_) GTEST_SKIP() << why;
    db_ = database_->make_database();
    fs::create_directories(media());
    const std::string film = "-f lavfi -i testsrc2=size=1280x720:rate=25:duration=40 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    fs::copy_file(synthetic_clip(film, "long.mp4"), media() / "long.mp4");
  }

  fs::path media() const { return folder_.path() / "media"; }
  std::vector<std::string> options(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--db", db_, "--data", (folder_.path() / "data").string(), "--media", media().string()});
    return more;
  }
  std::unique_ptr<BackgroundProcess> worker() const {
    std::vector<std::string> command = options({"--lease-ms", "1000"});
    command.insert(command.begin(), {PRISMVID_PROGRAM, "worker"});
    return std::make_unique<BackgroundProcess>(command);
  }
  static std::string post(const ServedProgram& server) {
    const json body = {{"source", {{"path", "long.mp4"}}}, {"features", {"shots", "scenes"}}};
    const HttpReply reply = server.send("POST", "/analyze/video", body.dump());
    EXPECT_EQ(reply.status, 202) << reply.body;
    return reply.json()["job_id"];
  }
  static std::string state(const ServedProgram& server, const std::string& job) {
    const HttpReply reply = server.get("/v1/jobs/" + job);
    return reply.status == 200 ? reply.json()["state"].get<std::string>() : "";
  }
  static void wait_while(const ServedProgram& server, const std::string& job, const std::vector<std::string>& states) {
    while (testing::Matches(testing::Contains(state(server, job)))(states)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  static void expect_ended_once(const ServedProgram& server, const std::string& job) {
    EXPECT_EQ(state(server, job), "done") << server.get("/v1/jobs/" + job).body;
    const std::string events = server.get("/v1/jobs/" + job + "/events").body;
    EXPECT_NE(events.find("event: done"), std::string::npos);
    EXPECT_EQ(events.find("event: done"), events.rfind("event: done")) << "it ended once";
  }

  TemporaryFolder folder_;
  PostgresServer* database_ = nullptr;
  std::string db_;
};

TEST_F(PostgresServeTest, WhatOneServerTakesAnotherDoesAndBothTell) {
  const ServedProgram asked(options({"--workers", "0"}));
  const ServedProgram working(options());
  const std::string job = post(asked);
  const std::string events = asked.get("/v1/jobs/" + job + "/events").body;  // ends with the job
  EXPECT_THAT(events, AllOf(HasSubstr("event: stage"), HasSubstr("event: done\ndata: {\"state\":\"done\"}")));
  const std::string video = asked.get("/v1/jobs/" + job).json()["video_id"];
  EXPECT_EQ(asked.get("/v1/videos/" + video).body, working.get("/v1/videos/" + video).body);
  EXPECT_EQ(working.send("DELETE", "/v1/videos/" + video).status, 200);
  EXPECT_EQ(asked.get("/v1/videos/" + video).status, 404) << "what the other deleted is not in a cache";
}

TEST_F(PostgresServeTest, ADeadWorkersJobIsTakenOver) {
  const ServedProgram server(options({"--workers", "0"}));
  const std::string job = post(server);
  auto first = worker();
  wait_while(server, job, {"queued"});
  first->signal(SIGKILL);
  first->wait();
  const auto second = worker();
  wait_while(server, job, {"queued", "running"});
  expect_ended_once(server, job);
}

TEST_F(PostgresServeTest, AJobOutlivesAKilledDatabase) {
  const ServedProgram server(options({"--workers", "0"}));
  const std::string job = post(server);
  const auto first = worker();
  wait_while(server, job, {"queued"});
  database_->kill();
  database_->start();
  wait_while(server, job, {"", "queued", "running"});
  expect_ended_once(server, job);
}

TEST_F(PostgresServeTest, TheCommandLineWorksOnItAndFailsAsOnAFile) {
  const auto run = [&](std::vector<std::string> command, const std::string& db) {
    command.insert(command.begin(), PRISMVID_PROGRAM);
    command.insert(command.end(), {"--db", db});
    return run_process(command);
  };
  const ProcessResult analyzed = run({"analyze", (media() / "long.mp4").string(), "--features", "shots,scenes", "--format", "json"}, db_);
  ASSERT_EQ(analyzed.exit_code, 0) << analyzed.err;
  const std::string video = json::parse(analyzed.out)["video"]["id"];
  const ProcessResult exported = run({"export", video, "--format", "json"}, db_);
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(json::parse(exported.out)["video"]["id"], video);

  const std::string nowhere = "postgres://anna:s3cr3t@127.0.0.1:1/library";
  const ProcessResult refused = run({"analyze", (media() / "long.mp4").string()}, nowhere);
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("postgres://anna@127.0.0.1:1/library cannot be reached"), Not(HasSubstr("s3cr3t"))));
}

}  // namespace
}  // namespace prismvid::tests
