#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "served_program.h"
#include "support/synthetic_clip.h"

// Settings of the service: command line before environment before file.
namespace prismvid::tests {
namespace {

using testing::HasSubstr;

class SettingsServeTest : public testing::Test {
 protected:
  SettingsServeTest() {
    std::filesystem::create_directories(folder_.path() / "one");
    std::filesystem::create_directories(folder_.path() / "two");
  }
  ~SettingsServeTest() override { ::unsetenv("PRISMVID_MAX_BYTES"); }

  std::string write(const std::string& text) const {
    const std::string file = (folder_.path() / "prismvid.toml").string();
    std::ofstream(file) << text;
    return file;
  }
  std::string db() const { return (folder_.path() / "test.db").string(); }
  std::string folder(const std::string& name) const { return (folder_.path() / name).string(); }

  /// The largest upload that a service with these arguments takes, as its refusal says.
  static std::string largest_upload(const std::vector<std::string>& arguments) {
    const ServedProgram server(arguments);
    return server.send("POST", "/v1/uploads", R"({"name":"a.mp4","bytes":4000000000000000000})").body;
  }

  ProcessResult refused(const std::string& text) const {
    return run_process({PRISMVID_PROGRAM, "serve", "--config", write(text)});
  }

  TemporaryFolder folder_;
};

TEST_F(SettingsServeTest, TheCommandLineGoesBeforeTheEnvironmentAndThatBeforeTheFile) {
  const std::string file = write("max-bytes = 1001\ndb = \"" + db() + "\"\n");
  EXPECT_THAT(largest_upload({"--config", file}), HasSubstr("1001"));
  ::setenv("PRISMVID_MAX_BYTES", "2002", 1);
  EXPECT_THAT(largest_upload({"--config", file}), HasSubstr("2002"));
  EXPECT_THAT(largest_upload({"--config", file, "--max-bytes", "3003"}), HasSubstr("3003"));
}

TEST_F(SettingsServeTest, AFileSetsFlagsAndListsAndMayHoldComments) {
  const ServedProgram server({"--config", write("# what this machine serves\nrequire-key = true\ndb = \"" + db() + "\"\nmedia = [\"" + folder("one") +
                                                "\", \"" + folder("two") + "\"]\n")});
  EXPECT_EQ(server.get("/v1/videos").status, 401);
}

TEST_F(SettingsServeTest, AFullQueueIsSaidAndEndedJobsAreForgotten) {
  std::filesystem::copy_file(synthetic_clip("-f lavfi -i testsrc=size=64x64:rate=25:duration=1 -c:v libx264 -pix_fmt yuv420p", "queued.mp4"), folder_.path() / "one/a.mp4");
  const std::string body = R"({"source":{"path":"a.mp4"}})";
  const std::vector<std::string> arguments = {"--db", db(), "--media", folder("one"), "--workers", "0", "--max-jobs", "1", "--keep-jobs", "0"};
  std::string job;
  {
    const ServedProgram server(arguments);
    const HttpReply first = server.send("POST", "/analyze/video", body);
    ASSERT_EQ(first.status, 202) << first.body;
    job = first.json()["status_url"];
    const HttpReply second = server.send("POST", "/analyze/video", body);
    EXPECT_EQ(second.status, 429);
    EXPECT_EQ(second.error_code(), "queue_full");
    EXPECT_EQ(second.headers.at("retry-after"), "60");
    EXPECT_EQ(server.send("DELETE", job, "", {}).status, 200);
  }
  const ServedProgram server(arguments);  // tidies when it starts
  for (int i = 0; i < 600 && server.get(job).status != 404; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(server.get(job).status, 404);
}

TEST_F(SettingsServeTest, WhatTheFileGetsWrongIsSaid) {
  const ProcessResult unknown = refused("lissten = \"127.0.0.1:0\"\n");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, testing::AllOf(HasSubstr("prismvid.toml"), HasSubstr("lissten"), HasSubstr("listen, media")));
  const ProcessResult value = refused("workers = 1000\n");
  EXPECT_EQ(value.exit_code, 2);
  EXPECT_THAT(value.err, testing::AllOf(HasSubstr("prismvid.toml"), HasSubstr("workers"), HasSubstr("64")));
  EXPECT_THAT(refused("[serve]\nworkers = 1\n").err, HasSubstr("sections"));
  EXPECT_THAT(refused("config = \"other.toml\"\n").err, HasSubstr("there is no 'config'"));
  EXPECT_EQ(run_process({PRISMVID_PROGRAM, "serve", "--config", folder("missing.toml")}).exit_code, 2);
}

}  // namespace
}  // namespace prismvid::tests
