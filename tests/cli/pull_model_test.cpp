#include "cli/pull_model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/sha256.h"

namespace prismvid::cli {
namespace {

namespace fs = std::filesystem;

const std::string kRevision(40, 'a');

// A hub of one repository in a folder, reached by file: addresses.
class PullTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / "prismvid_pull" /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
    write("server/org/model/resolve/" + kRevision + "/config.json", "{}");
    write("server/org/model/resolve/" + kRevision + "/sub/weights.bin", weights_);
    announce(sha256_hex(weights_), "sub/weights.bin");
    options_.endpoint = "file://" + (root_ / "server").string();
    options_.hub = root_ / "hub";
  }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  void announce(const std::string& sha256, const std::string& name) {
    const nlohmann::json answer{
        {"sha", kRevision},
        {"siblings",
         {{{"rfilename", "config.json"}, {"blobId", "9e26dfeeb6e641a33dae4961196235bdb965b21b"}, {"size", 2}},
          {{"rfilename", name},
           {"blobId", std::string(40, 'c')},
           {"size", weights_.size()},
           {"lfs", {{"sha256", sha256}}}}}}};
    write("server/api/models/org/model/revision/main", answer.dump());
  }

  fs::path root_;
  PullOptions options_;
  const std::string weights_ = std::string(100'000, 'w');
};

TEST_F(PullTest, LaysTheFilesOutAsHuggingfaceHub) {
  const fs::path snapshot = pull_model("org/model", options_);
  EXPECT_EQ(snapshot, options_.hub / "models--org--model" / "snapshots" / kRevision);
  EXPECT_EQ(fs::file_size(snapshot / "sub" / "weights.bin"), weights_.size());
  EXPECT_TRUE(fs::is_symlink(snapshot / "config.json"));
  EXPECT_TRUE(fs::exists(options_.hub / "models--org--model" / "blobs" / sha256_hex(weights_)));
  std::string revision;
  std::ifstream(options_.hub / "models--org--model" / "refs" / "main") >> revision;
  EXPECT_EQ(revision, kRevision);
  fs::remove_all(root_ / "server" / "org");  // what is there is not fetched again
  EXPECT_EQ(pull_model("org/model", options_), snapshot);
}

TEST_F(PullTest, RefusesAFileOfAnotherChecksum) {
  announce(std::string(64, 'd'), "sub/weights.bin");
  EXPECT_THROW(pull_model("org/model", options_), Error);
  EXPECT_FALSE(fs::exists(options_.hub / "models--org--model" / "blobs" / std::string(64, 'd')));
  EXPECT_FALSE(fs::exists(options_.hub / "models--org--model" / "refs" / "main"));
}

TEST_F(PullTest, RefusesASmallFileThatGitHashesOtherwise) {
  write("server/org/model/resolve/" + kRevision + "/config.json", "[]");
  EXPECT_THROW(pull_model("org/model", options_), Error);
}

TEST_F(PullTest, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"model", "/model", "a/b/c", "../model", "org/..", ""})
    EXPECT_THROW(pull_model(name, options_), Error) << name;
  announce(sha256_hex(weights_), "../../../outside");
  EXPECT_THROW(pull_model("org/model", options_), Error);
  write("server/api/models/org/model/revision/main", "<html>");
  EXPECT_THROW(pull_model("org/model", options_), Error);
  options_.revision = "../main";
  EXPECT_THROW(pull_model("org/model", options_), Error);
}

}  // namespace
}  // namespace prismvid::cli
