#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "both_databases.h"
#include "served_program.h"
#include "support/synthetic_clip.h"

// Jobs from end to end: accepted, watched, cancelled, taken over.
namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class JobsServeTest : public BothDatabases {
 protected:
  void SetUp() override {
    BothDatabases::SetUp();
    if (IsSkipped()) return;
    fs::create_directories(media());
    add_clip("a.mp4", 1);
  }

  /// Clips of different colours, so that each is a video of its own.
  void add_clip(const std::string& name, int seed) {
    const std::string colour = "color=c=0x" + std::to_string(100000 + seed * 7919) + ":size=64x64:rate=25:duration=1";
    fs::copy_file(synthetic_clip("-f lavfi -i " + colour + " -c:v libx264 -pix_fmt yuv420p", "colour_" + std::to_string(seed) + ".mp4"),
                  media() / name);
  }

  fs::path media() const { return folder_.path() / "media"; }
  std::vector<std::string> options(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--db", db(), "--data", data(), "--media", media().string()});
    return more;
  }

  static std::string request(const std::string& path) {
    return json{{"source", {{"path", path}}}, {"features", {"shots", "scenes"}}}.dump();
  }

  static HttpReply post(const ServedProgram& server, const std::string& body, const std::string& key = "") {
    std::vector<std::string> headers = {"Content-Type: application/json"};
    if (!key.empty()) headers.push_back("Idempotency-Key: " + key);
    return server.send("POST", "/analyze/video", body, headers);
  }

  static json wait_for_end(const ServedProgram& server, const std::string& job) {
    while (true) {
      const json state = server.get("/v1/jobs/" + job).json();
      if (state["state"] != "queued" && state["state"] != "running") return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
};

TEST_P(JobsServeTest, AnAnalysisIsAcceptedWatchedAndReadable) {
  const ServedProgram server(options());
  const HttpReply accepted = post(server, request("a.mp4"));
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  const json answer = accepted.json();
  const HttpReply events = server.get(answer["events_url"]);  // ends with the job
  EXPECT_EQ(events.headers.at("content-type"), "text/event-stream");
  EXPECT_THAT(events.body, HasSubstr("event: stage"));
  EXPECT_THAT(events.body, HasSubstr("event: done\ndata: {\"state\":\"done\"}"));
  const json job = server.get(answer["status_url"]).json();
  EXPECT_EQ(job["state"], "done") << job;
  EXPECT_EQ(job["progress"]["fraction"], 1);
  const HttpReply document = server.get("/v1/videos/" + job["video_id"].get<std::string>());
  EXPECT_EQ(document.json()["shots"].size(), 1u);
  EXPECT_EQ(server.get("/v1/jobs").json()["counts"]["done"], 1);

  const HttpReply again = post(server, request("a.mp4"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json()["cached"], true);
  EXPECT_EQ(again.json()["result_url"], "/v1/videos/" + job["video_id"].get<std::string>());
}

TEST_P(JobsServeTest, EventsGoOnBehindTheLastOneSeen) {
  const ServedProgram server(options());
  const json accepted = post(server, request("a.mp4")).json();
  const std::string url = accepted["events_url"];
  wait_for_end(server, accepted["job_id"]);  // until then, a progress event is replaced by the next
  const std::string all = server.get(url).body;
  const size_t end = all.find("\n\n") + 2;
  const std::string first_id = all.substr(4, all.find('\n') - 4);
  EXPECT_EQ(server.get(url, {"Last-Event-ID: " + first_id}).body, all.substr(end));
  const size_t last = all.rfind("id: ") + 4;
  EXPECT_EQ(server.get(url, {"Last-Event-ID: " + all.substr(last, all.find('\n', last) - last)}).status, 204);
  EXPECT_EQ(server.get(url, {"Last-Event-ID: x"}).status, 400);
}

TEST_P(JobsServeTest, AnIdempotencyKeyStartsOneJob) {
  const ServedProgram server(options({"--workers", "0"}));
  add_clip("b.mp4", 2);
  const HttpReply first = post(server, request("a.mp4"), "k1"), again = post(server, request("a.mp4"), "k1");
  EXPECT_EQ(first.json()["job_id"], again.json()["job_id"]);
  const HttpReply other = post(server, request("b.mp4"), "k1");
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.error_code(), "idempotency_conflict");
}

TEST_P(JobsServeTest, AQueuedJobIsCancelled) {
  const ServedProgram server(options({"--workers", "0"}));
  const std::string url = post(server, request("a.mp4")).json()["status_url"];
  EXPECT_EQ(server.get(url).json()["state"], "queued");
  EXPECT_EQ(server.send("DELETE", url).json()["state"], "cancelled");
  EXPECT_THAT(server.get(url + "/events").body, HasSubstr("cancelled"));
}

TEST_P(JobsServeTest, BadRequestsAreRefusedWithWhatWouldWork) {
  const ServedProgram server(options());
  std::ofstream(media() / "text.mp4") << "no video at all";
  std::ofstream(folder_.path() / "outside.mp4") << "x";
  const auto expect = [&](const std::string& body, int status, const std::string& word) {
    const HttpReply reply = post(server, body);
    EXPECT_EQ(reply.status, status) << body << ": " << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(word)) << body;
  };
  expect("", 400, "not JSON");
  expect("[]", 400, "object");
  expect(std::string(100'000, '['), 400, "JSON");
  expect("{}", 400, "source");
  expect(R"({"source":{"path":"a.mp4"},"profil":"fast"})", 400, "profil");
  expect(R"({"source":{"path":"a.mp4"},"profile":"slow"})", 400, "deep");
  expect(R"({"source":{"path":"a.mp4"},"features":["shot"]})", 400, "shots");
  expect(R"({"source":{"path":"a.mp4"},"range":{"start":5,"end":1}})", 400, "range");
  expect(R"({"source":{"path":"a.mp4"},"model":"/etc"})", 400, "model");
  expect(request("nothing.mp4"), 404, "nothing.mp4");
  expect(request("text.mp4"), 415, "not_video");
  expect(request("../outside.mp4"), 403, "--media");
  expect(std::string(300 << 10, ' '), 413, "too large");
  EXPECT_EQ(server.get("/v1/jobs/j_99").status, 404);
  EXPECT_EQ(server.get("/v1/jobs/x/events").status, 404);
}

TEST_P(JobsServeTest, AKilledServerLosesNothingThatItAccepted) {
  std::vector<std::string> jobs;
  {
    ServedProgram server(options({"--lease-ms", "500"}));
    for (int i = 0; i < 12; ++i) {
      add_clip("k" + std::to_string(i) + ".mp4", 10 + i);
      jobs.push_back(post(server, request("k" + std::to_string(i) + ".mp4")).json()["job_id"]);
    }
    server.process().signal(SIGKILL);
    server.process().wait();
  }
  const ServedProgram server(options({"--lease-ms", "500", "--workers", "2"}));
  for (const std::string& job : jobs) EXPECT_EQ(wait_for_end(server, job)["state"], "done") << job;
  EXPECT_EQ(std::set<std::string>(jobs.begin(), jobs.end()).size(), jobs.size());
  EXPECT_EQ(server.get("/v1/videos").json()["total"], 12);
}

TEST_P(JobsServeTest, WorkersOfOtherProcessesShareTheQueueAndADeadOnesJobIsTakenOver) {
  const ServedProgram server(options({"--workers", "0"}));
  // 40 s of film that takes a while, so that the worker dies in the middle of it.
  fs::copy_file(synthetic_clip("-f lavfi -i testsrc2=size=1280x720:rate=25:duration=40 -c:v libx264 -preset ultrafast -pix_fmt yuv420p", "long.mp4"),
                media() / "long.mp4");
  const std::string job = post(server, request("long.mp4")).json()["job_id"];
  const auto worker = [&] {
    return std::make_unique<BackgroundProcess>(std::vector<std::string>{
        PRISMVID_PROGRAM, "worker", "--db", db(), "--data", data(), "--media", media().string(), "--lease-ms", "500"});
  };
  auto first = worker();
  while (server.get("/v1/jobs/" + job).json()["state"] == "queued") std::this_thread::sleep_for(std::chrono::milliseconds(5));
  first->signal(SIGKILL);
  first->wait();
  const auto second = worker();
  const json ended = wait_for_end(server, job);
  EXPECT_EQ(ended["state"], "done") << ended;
  const std::string events = server.get("/v1/jobs/" + job + "/events").body;
  EXPECT_EQ(events.find("event: done"), events.rfind("event: done")) << "it ended once";
}

TEST_P(JobsServeTest, StoppingGivesARunningJobBack) {
  fs::copy_file(synthetic_clip("-f lavfi -i testsrc2=size=1280x720:rate=25:duration=40 -c:v libx264 -preset ultrafast -pix_fmt yuv420p", "long.mp4"),
                media() / "long.mp4");
  ServedProgram server(options());
  const std::string job = post(server, request("long.mp4")).json()["job_id"];
  while (server.get("/v1/jobs/" + job).json()["state"] == "queued") std::this_thread::sleep_for(std::chrono::milliseconds(5));
  server.process().signal(SIGTERM);
  EXPECT_EQ(server.process().wait().exit_code, 0);
  const ServedProgram again(options({"--workers", "0"}));
  // A fast machine may have ended it before the signal came.
  EXPECT_THAT(again.get("/v1/jobs/" + job).json()["state"].get<std::string>(), testing::AnyOf("queued", "done"));
}

INSTANTIATE_TEST_SUITE_P(Both, JobsServeTest, kBothDatabases, database_name);

}  // namespace
}  // namespace prismvid::tests
