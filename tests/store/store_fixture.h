#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "store/cache_key.h"
#include "store/sqlite_store.h"

namespace prismvid::store {

/// A folder of its own for each test, with a database in it.
class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("prismvid_store_" + std::to_string(::getpid()) + "_" + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "test.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> open(int busy_timeout_ms = 10'000) {
    return open_sqlite_store(file_, {.busy_timeout_ms = busy_timeout_ms});
  }

  /// Whether the bytes stand anywhere in the database or its companion files.
  bool on_disk(const std::string& bytes) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream stream(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(stream), {}};
      if (content.find(bytes) != std::string::npos) return true;
    }
    return false;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

inline std::string hash_of(char digit) {
  return std::string(64, digit);
}

inline std::vector<uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

inline VideoRecord video_of(char digit) {
  return {"v_" + std::string(12, digit),
          hash_of(digit),
          std::string("/videos/") + digit + ".mp4",
          1000,
          "{}",
          ""};
}

inline StageRecord stage_of(const VideoRecord& video, const std::string& name, char key) {
  return {hash_of(key), video.id, name, "1", "model", "native", 12, 34, "{}", ""};
}

}  // namespace prismvid::store
