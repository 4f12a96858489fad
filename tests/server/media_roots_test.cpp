#include "server/media_roots.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "server/http.h"
#include "support/synthetic_clip.h"

namespace prismvid::server {
namespace {

namespace fs = std::filesystem;

class MediaRootsTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root() / "inner");
    fs::create_directories(folder_.path() / "media2");
    std::ofstream(root() / "inner/a.mp4") << "video";
    std::ofstream(folder_.path() / "secret.mp4") << "secret";
    std::ofstream(folder_.path() / "media2/b.mp4") << "other";
    fs::create_symlink(folder_.path() / "secret.mp4", root() / "out.mp4");
    fs::create_symlink(folder_.path(), root() / "up");
    fs::create_symlink(root() / "inner/a.mp4", root() / "in.mp4");
  }

  fs::path root() const { return folder_.path() / "media"; }

  int status(const fs::path& path) const {
    try {
      const OpenFile file = MediaRoots({root()}).open(path);
      ::close(file.descriptor);
      return 200;
    } catch (const HttpError& error) {
      return error.status();
    }
  }

  tests::TemporaryFolder folder_;
};

TEST_F(MediaRootsTest, FilesBelowARootAreOpened) {
  EXPECT_EQ(status(root() / "inner/a.mp4"), 200);
  EXPECT_EQ(status("inner/a.mp4"), 200);
  EXPECT_EQ(status(root() / "in.mp4"), 200) << "a link that stays inside";
  const OpenFile file = MediaRoots({root()}).open("inner/a.mp4");
  EXPECT_EQ(file.bytes, 5);
  ::close(file.descriptor);
}

TEST_F(MediaRootsTest, NothingOutsideIsOpened) {
  EXPECT_EQ(status(folder_.path() / "secret.mp4"), 403);
  EXPECT_EQ(status("../secret.mp4"), 403);
  EXPECT_EQ(status("inner/../../secret.mp4"), 403);
  EXPECT_EQ(status(root() / "out.mp4"), 403) << "a link that leads out";
  EXPECT_EQ(status(root() / "up/secret.mp4"), 403) << "below a link that leads out";
  EXPECT_EQ(status(folder_.path() / "media2/b.mp4"), 403) << "a folder whose name begins alike";
  EXPECT_EQ(status("/etc/passwd"), 403);
  EXPECT_EQ(status(folder_.path() / "not there.mp4"), 403) << "whether it exists is nobody's business";
}

TEST_F(MediaRootsTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(status(root() / "nothing.mp4"), 404);
  EXPECT_EQ(status(root() / "inner"), 422);
  ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(status(root() / "pipe"), 422) << "and does not wait for a writer";
}

TEST(MediaRootsOfNothing, OpensNothing) { EXPECT_THROW(MediaRoots({}).open("/etc/passwd"), HttpError); }

TEST(MediaRootsOfAFile, IsRefused) { EXPECT_THROW(MediaRoots({"/etc/passwd"}), Error); }

}  // namespace
}  // namespace prismvid::server
