#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "inference/array_cache.h"
#include "inference/prefix_cache.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;

ArrayCache::Arrays numbers(float first) {
  mx::array array = mx::full({25}, first, mx::float32);  // 100 bytes
  mx::eval(array);
  return {array};
}

float first_of(const ArrayCache::Arrays* arrays) {
  return arrays == nullptr ? -1 : arrays->at(0).data<float>()[0];
}

fs::path fresh_folder(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("prismvid_cache_" + name);
  fs::remove_all(folder);
  return folder;
}

TEST(ArrayCache, GivesUpWhatWasUsedLongestAgo) {
  ArrayCache cache({300, nullptr});
  for (const char* key : {"a", "b", "c"}) cache.insert(key, numbers(1));
  cache.find("a");
  cache.insert("d", numbers(4));
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(first_of(cache.find("d")), 4);
  EXPECT_EQ(cache.bytes(), 300u);
  cache.shrink(100);
  EXPECT_EQ(cache.bytes(), 100u);
  EXPECT_NE(cache.find("d"), nullptr);
}

TEST(ArrayCache, FindsOnDiskWhatLeftMemoryAlsoInTheNextProcess) {
  const auto files = std::make_shared<FileCache>(fresh_folder("disk"), 1 << 20);
  {
    ArrayCache cache({100, files});
    cache.insert("aa", numbers(1), "v");
    cache.insert("bb", numbers(2), "v");
    EXPECT_EQ(first_of(cache.find("aa", "v")), 1);
    cache.flush();
  }
  ArrayCache cache({100, files});
  EXPECT_EQ(cache.find("aa", "w"), nullptr) << "of another owner";
  EXPECT_EQ(cache.find("aa"), nullptr);
  EXPECT_EQ(first_of(cache.find("bb", "v")), 2);
  EXPECT_EQ(first_of(cache.find("aa", "v")), 1);
}

TEST(ArrayCache, WhatHasNoOwnerStaysOffTheDiskUntilSomebodyWithOneUsesIt) {
  const fs::path folder = fresh_folder("owner");
  const auto files = std::make_shared<FileCache>(folder, 1 << 20);
  ArrayCache cache({200, files});
  cache.insert("aa", numbers(1));
  cache.flush();
  EXPECT_FALSE(fs::exists(folder));
  cache.insert("aa", numbers(1));
  cache.insert("bb", numbers(2));
  cache.find("aa", "v");
  cache.flush();
  EXPECT_TRUE(fs::exists(folder / "v" / "aa.safetensors"));
  EXPECT_FALSE(fs::exists(folder / "v" / "bb.safetensors"));
}

TEST(ArrayCache, WhatIsClearedIsNeitherInMemoryNorOnDisk) {
  const fs::path folder = fresh_folder("clear");
  ArrayCache cache({200, std::make_shared<FileCache>(folder, 1 << 20)});
  cache.insert("aa", numbers(1), "v");
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.find("aa", "v"), nullptr);
  EXPECT_FALSE(fs::exists(folder));
}

TEST(ArrayCache, ADamagedFileIsAsMissing) {
  const fs::path folder = fresh_folder("damaged");
  ArrayCache cache({100, std::make_shared<FileCache>(folder, 1 << 20)});
  fs::create_directories(folder / "v");
  std::ofstream(folder / "v" / "aa.safetensors") << "not this";
  EXPECT_EQ(cache.find("aa", "v"), nullptr);
  EXPECT_FALSE(fs::exists(folder / "v" / "aa.safetensors"));
}

TEST(BlockKeys, DependOnAllTokensBefore) {
  std::vector<int> ids(3 * BlockKeys::tokens() + 5, 7);
  BlockKeys first("model", {}, {}), second("model", {}, {}), other("other", {}, {});
  first.append(ids);
  ids[BlockKeys::tokens()] = 8;
  second.append(ids);
  other.append(ids);
  ASSERT_EQ(first.keys().size(), 3u);
  EXPECT_EQ(first.keys()[0], second.keys()[0]);
  EXPECT_NE(first.keys()[1], second.keys()[1]);
  EXPECT_NE(first.keys()[2], second.keys()[2]);
  EXPECT_NE(other.keys()[0], second.keys()[0]);
}

TEST(BlockKeys, DependOnWhatVisualTokensShow) {
  const std::vector<int> ids(2 * BlockKeys::tokens(), 7);
  const std::vector<qwen3_vl::VisualSpan> spans{{4, 2, 4}, {BlockKeys::tokens() + 3, 2, 2}};
  BlockKeys first("m", spans, {"x", "y"}), second("m", spans, {"x", "z"}), text("m", {}, {});
  for (BlockKeys* keys : {&first, &second, &text}) keys->append(ids);
  EXPECT_EQ(first.keys()[0], second.keys()[0]);
  EXPECT_NE(first.keys()[1], second.keys()[1]);
  EXPECT_NE(first.keys()[0], text.keys()[0]);
}

}  // namespace
}  // namespace prismvid::inference
