#include "deep/clip_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "deep/clip_file.h"
#include "support/synthetic_clip.h"

namespace prismvid::deep {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPictureBytes = 31 * 17 * 3;

/// Of pictures with noise.
std::shared_ptr<const Clip> clip_of(int frames, unsigned seed = 0) {
  std::mt19937 random(seed);
  auto clip = std::make_shared<Clip>();
  clip->range = {500'000, 21'000'000};
  for (int i = 0; i < frames; ++i) {
    Image picture(31, 17, 3);
    for (uint64_t k = 0; k < kPictureBytes; ++k) picture.data()[k] = static_cast<uint8_t>(random());
    clip->frames.push_back(std::make_shared<const Image>(std::move(picture)));
    clip->times_us.push_back(500'000 * (i + 1));
  }
  return clip;
}

void expect_equal(const Clip* found, const Clip& clip) {
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->range.start_us, clip.range.start_us);
  EXPECT_EQ(found->range.end_us, clip.range.end_us);
  EXPECT_EQ(found->times_us, clip.times_us);
  ASSERT_EQ(found->frames.size(), clip.frames.size());
  for (size_t i = 0; i < clip.frames.size(); ++i) {
    ASSERT_EQ(found->frames[i]->size(), clip.frames[i]->size());
    EXPECT_TRUE(std::equal(clip.frames[i]->data(), clip.frames[i]->data() + kPictureBytes,
                           found->frames[i]->data()));
  }
}

TEST(ClipCache, KeepsTheLastUsedWithinItsBytes) {
  ClipCache cache(5 * kPictureBytes);
  cache.insert({"v", "a"}, clip_of(2));
  cache.insert({"v", "b"}, clip_of(2));
  EXPECT_NE(cache.find({"v", "a"}), nullptr);
  cache.insert({"v", "c"}, clip_of(3));
  EXPECT_NE(cache.find({"v", "a"}), nullptr) << "used since";
  EXPECT_EQ(cache.find({"v", "b"}), nullptr);
  EXPECT_EQ(cache.bytes(), 5 * kPictureBytes);
  cache.insert({"v", "d"}, clip_of(6));
  EXPECT_EQ(cache.find({"v", "d"}), nullptr) << "larger than all";
  EXPECT_NE(cache.find({"v", "c"}), nullptr);
}

TEST(ClipCache, CountsAFrameThatIsShownAgainOnce) {
  Clip still;
  still.frames.assign(4, clip_of(1)->frames[0]);
  ClipCache cache(1 << 20);
  cache.insert({"v", "still"}, std::make_shared<const Clip>(still));
  EXPECT_EQ(cache.bytes(), kPictureBytes);
}

class ClipsOnDiskTest : public testing::Test {
 protected:
  std::shared_ptr<FileCache> files() const {
    return std::make_shared<FileCache>(folder_.path() / "kept", 10 << 20);
  }
  /// A cache as the next process has it.
  ClipCache cache() const { return ClipCache(1 << 20, files()); }

  fs::path only_file() const {
    fs::path found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path()))
      if (entry.is_regular_file()) found = entry.path();
    return found;
  }

  tests::TemporaryFolder folder_;
};

TEST_F(ClipsOnDiskTest, TheNextProcessFindsTheVeryPixels) {
  const auto clip = clip_of(5);
  cache().insert({"v", "a"}, clip);
  ClipCache next(1 << 20, files());
  EXPECT_TRUE(next.contains({"v", "a"}));
  EXPECT_FALSE(next.contains({"w", "a"}));
  const auto found = next.find({"v", "a"});
  expect_equal(found.get(), *clip);
  EXPECT_EQ(next.find({"v", "a"}), found) << "from memory now";
  EXPECT_EQ(next.find({"v", "b"}), nullptr);
  EXPECT_EQ(next.find({"w", "a"}), nullptr);
}

TEST_F(ClipsOnDiskTest, StartingAnewLeavesWhatIsOnTheDisk) {
  ClipCache kept(1 << 20, files());
  const auto clip = clip_of(5);
  kept.insert({"v", "a"}, clip);
  kept.start_anew();
  EXPECT_EQ(kept.bytes(), 0u);
  const auto found = kept.find({"v", "a"});
  EXPECT_NE(found, clip);
  expect_equal(found.get(), *clip);
}

TEST_F(ClipsOnDiskTest, AFrameThatIsShownAgainIsWrittenOnce) {
  Clip still = *clip_of(3);
  still.frames[1] = still.frames[0];
  cache().insert({"v", "still"}, std::make_shared<const Clip>(still));
  EXPECT_LT(fs::file_size(only_file()), 3 * kPictureBytes);
  const auto found = cache().find({"v", "still"});
  expect_equal(found.get(), still);
  EXPECT_EQ(found->frames[0], found->frames[1]);
}

TEST_F(ClipsOnDiskTest, ADamagedFileIsAsMissingAndRemoved) {
  const auto damage = [&](const auto& change) {
    cache().insert({"v", "a"}, clip_of(2));
    change(only_file());
    EXPECT_EQ(cache().find({"v", "a"}), nullptr);
    EXPECT_EQ(only_file(), fs::path());
  };
  const auto overwrite = [](const fs::path& file, uint64_t at, const char* text) {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out << text;
  };
  damage([](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - 1); });
  damage([](const fs::path& file) { fs::resize_file(file, 20); });
  damage([](const fs::path& file) { fs::resize_file(file, 0); });
  damage([&](const fs::path& file) { overwrite(file, fs::file_size(file) - 9, "pixels"); });
  damage([&](const fs::path& file) { overwrite(file, 0, "Another format\n"); });
  damage([](const fs::path& file) {  // of a size that nobody has memory for
    std::ofstream(file) << R"(PrismVid clip 1
{"clip":{"name":"v a","range_us":[0,1],"sizes":[[65536,65536,3]],"shown":[0],"times_us":[0]},"sha256":""}
)";
  });
  damage([](const fs::path& file) {  // a sound one, but another clip
    write_clip(file, "v b", *clip_of(2));
  });
}

TEST_F(ClipsOnDiskTest, AForgottenVideoIsNeitherInMemoryNorOnTheDisk) {
  ClipCache kept(1 << 20, files());
  for (int i = 0; i < 4; ++i) {
    kept.insert({"gone", std::to_string(i)}, clip_of(2));
    kept.insert({"stays", std::to_string(i)}, clip_of(2));
  }
  kept.forget("gone");
  EXPECT_EQ(kept.find({"gone", "0"}), nullptr);
  EXPECT_NE(kept.find({"stays", "3"}), nullptr);
  EXPECT_EQ(kept.bytes(), 8 * kPictureBytes);
  EXPECT_FALSE(fs::exists(folder_.path() / "kept" / "gone"));
}

TEST_F(ClipsOnDiskTest, WhatCannotBeWrittenIsKeptInMemory) {
  std::ofstream(folder_.path() / "kept") << "a file where the folder should be";
  ClipCache kept(1 << 20, files());
  kept.insert({"v", "a"}, clip_of(2));
  EXPECT_NE(kept.find({"v", "a"}), nullptr);
}

}  // namespace
}  // namespace prismvid::deep
