#include "vision/models/download.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "model_folder.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DownloadTest : public ModelFolder {
 protected:
  std::string address(const std::string& name) { return "file://" + (folder_ / name).string(); }

  ErrorCode failure(const std::string& url, const DownloadOptions& options = {}) {
    try {
      download(url, folder_ / "target", options);
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    return ErrorCode::kInternal;
  }

  std::string message_;
};

TEST_F(DownloadTest, FetchesAFileAndTellsProgress) {
  write(folder_ / "source", std::string(300'000, 'x'));
  int64_t done = 0;
  DownloadOptions options;
  options.progress = [&](int64_t bytes, int64_t) { done = bytes; };
  download(address("source"), folder_ / "target", options);
  EXPECT_EQ(read(folder_ / "target"), std::string(300'000, 'x'));
  EXPECT_EQ(done, 300'000);
  EXPECT_FALSE(fs::exists(folder_ / "target.part"));
}

TEST_F(DownloadTest, GoesOnWhereItBrokeOff) {
  write(folder_ / "source", "0123456789");
  write(folder_ / "target.part", "abcd");
  download(address("source"), folder_ / "target");
  EXPECT_EQ(read(folder_ / "target"), "abcd456789");
}

TEST_F(DownloadTest, StartsAnewWhenItCannotGoOn) {
  write(folder_ / "source", "0123");
  write(folder_ / "target.part", "longer than the source");
  download(address("source"), folder_ / "target");
  EXPECT_EQ(read(folder_ / "target"), "0123");
}

TEST_F(DownloadTest, SaysThatTheMachineMayBeOffline) {
  // Port 9 of this machine: nobody listens.
  EXPECT_EQ(failure("http://127.0.0.1:9/model.onnx"), ErrorCode::kUnavailable);
  EXPECT_THAT(message_, HasSubstr("offline"));
  EXPECT_THAT(message_, HasSubstr("prismvid models install"));
}

TEST_F(DownloadTest, RefusesOtherProtocolsAndMissingFiles) {
  EXPECT_EQ(failure("ftp://127.0.0.1/model.onnx"), ErrorCode::kUnavailable);
  EXPECT_EQ(failure(address("missing")), ErrorCode::kUnavailable);
  EXPECT_FALSE(fs::exists(folder_ / "target"));
}

TEST_F(DownloadTest, StopsWhenAsked) {
  write(folder_ / "source", std::string(300'000, 'x'));
  std::stop_source stop;
  stop.request_stop();
  DownloadOptions options;
  options.stop = stop.get_token();
  EXPECT_EQ(failure(address("source"), options), ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(folder_ / "target"));
}

}  // namespace
}  // namespace prismvid::vision
