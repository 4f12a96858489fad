#include "core/file_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support/synthetic_clip.h"

namespace prismvid {
namespace {

namespace fs = std::filesystem;
using Clock = fs::file_time_type::clock;

class FileCacheTest : public testing::Test {
 protected:
  FileCache cache(uint64_t most_bytes = 1 << 20) const { return FileCache(folder(), most_bytes); }
  fs::path folder() const { return parent_.path() / "kept"; }

  static FileCache::Write text(const std::string& text) {
    return [text](const fs::path& file) { std::ofstream(file, std::ios::binary) << text; };
  }
  static void keep(FileCache& cache, const std::string& owner, const std::string& name,
                   size_t bytes) {
    cache.keep(owner, name, bytes, text(std::string(bytes, 'x')));
  }
  static std::string read(const std::optional<fs::path>& file) {
    if (!file) return "none";
    std::ifstream in(*file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void make_older(const std::string& file, std::chrono::seconds age) const {
    fs::last_write_time(folder() / file, Clock::now() - age);
  }
  uint64_t bytes_on_disk() const {
    uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder()))
      if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
  }

  tests::TemporaryFolder parent_;
};

TEST_F(FileCacheTest, FindsWhatWasKeptAlsoInTheNextProcess) {
  FileCache first = cache(), next = cache();
  EXPECT_FALSE(first.contains("v", "a"));
  EXPECT_EQ(read(first.find("v", "a")), "none");
  first.keep("v", "a", 5, text("hello"));
  EXPECT_TRUE(next.contains("v", "a"));
  EXPECT_EQ(read(next.find("v", "a")), "hello");
  next.keep("v", "a", 5, text("other"));
  EXPECT_EQ(read(first.find("v", "a")), "hello") << "it was there";
  first.drop("v", "a");
  EXPECT_FALSE(next.contains("v", "a"));
}

TEST_F(FileCacheTest, WhatWasNotUsedForLongestGoesFirst) {
  FileCache kept = cache(1600);
  for (const char* name : {"a", "b", "c"}) keep(kept, "v", name, 500);
  for (const auto& [name, age] : {std::pair{"v/a", 30}, {"v/b", 20}, {"v/c", 10}})
    make_older(name, std::chrono::seconds(age));
  kept.find("v", "a");
  keep(kept, "w", "d", 500);
  EXPECT_TRUE(kept.contains("v", "a")) << "used since";
  EXPECT_FALSE(kept.contains("v", "b"));
  EXPECT_TRUE(kept.contains("w", "d"));
  EXPECT_LE(bytes_on_disk(), 1600u);
  keep(kept, "v", "large", 1601);
  EXPECT_FALSE(kept.contains("v", "large")) << "larger than all";
}

TEST_F(FileCacheTest, ANewProcessSeesWhatOthersHaveKept) {
  FileCache first = cache(1600), next = cache(1600);
  for (const char* name : {"a", "b", "c"}) keep(first, "v", name, 500);
  for (const char* name : {"d", "e"}) keep(next, "w", name, 500);
  EXPECT_LE(bytes_on_disk(), 1600u);
}

TEST_F(FileCacheTest, WhatFailsToBeWrittenLeavesNothing) {
  FileCache kept = cache();
  kept.keep("v", "a", 5, [](const fs::path& file) {
    std::ofstream(file) << "half";
    throw std::runtime_error("the disk is full");
  });
  EXPECT_FALSE(kept.contains("v", "a"));
  EXPECT_EQ(bytes_on_disk(), 0u);
  EXPECT_NO_THROW(kept.keep("v", "a", uint64_t{1} << 60, text("")));
}

TEST_F(FileCacheTest, WhatAKilledProcessLeftGoesWithTime) {
  FileCache first = cache();
  keep(first, "v", "a", 10);
  for (const char* name : {"v/-new-1-0-b", "v/-new-2-0-c"})
    std::ofstream(folder() / name) << "half";
  make_older("v/-new-1-0-b", std::chrono::hours(2));
  FileCache next = cache();
  keep(next, "v", "d", 10);
  EXPECT_FALSE(fs::exists(folder() / "v/-new-1-0-b"));
  EXPECT_TRUE(fs::exists(folder() / "v/-new-2-0-c")) << "somebody may be writing it";
}

TEST_F(FileCacheTest, AnOwnersFilesGoTogether) {
  FileCache kept = cache();
  for (const char* owner : {"v", "w", "x"}) keep(kept, owner, "a", 10);
  kept.forget("v");
  EXPECT_FALSE(fs::exists(folder() / "v"));
  EXPECT_TRUE(kept.contains("w", "a"));
  kept.forget_all_but({"x", "y"});
  EXPECT_FALSE(fs::exists(folder() / "w"));
  EXPECT_TRUE(kept.contains("x", "a"));
}

TEST_F(FileCacheTest, NamesDoNotLeadOutOfTheFolder) {
  FileCache kept = cache();
  for (const char* name : {"", "..", "a/b", "-new-1", "A", ".hidden"}) {
    EXPECT_THROW(kept.find("v", name), Error) << name;
    EXPECT_THROW(kept.forget(name), Error) << name;
  }
}

/// Writers and readers of two processes: whoever finds a file finds all of it.
TEST_F(FileCacheTest, SeveralWritersMayMeet) {
  static constexpr size_t kBytes = 20'000, kMost = 8 * kBytes;
  FileCache first = cache(kMost), second = cache(kMost);
  std::atomic<int> found = 0;
  std::vector<std::jthread> threads;
  for (FileCache* kept : {&first, &second, &first, &second})
    threads.emplace_back([&found, kept] {
      for (int i = 0; i < 200; ++i) {
        const std::string name = std::to_string(i % 12);
        keep(*kept, "v", name, kBytes);
        const std::string content = read(kept->find("v", name));
        if (content == "none" || content.empty())
          continue;  // removed before or while it was opened
        EXPECT_EQ(content.size(), kBytes);
        ++found;
      }
    });
  threads.clear();
  EXPECT_GT(found, 200);
  EXPECT_LE(bytes_on_disk(), kMost + kMost / 8);
}

}  // namespace
}  // namespace prismvid
