#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/sha256.h"
#include "store/cache_key.h"
#include "store/open_store.h"
#include "store/postgres_database.h"
#include "support/postgres_server.h"

namespace prismvid::store {

inline std::vector<uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

/// A folder of its own for each test, with a database in it.
class StoreFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(test.begin(), test.end(), '/', '_');
    folder_ = std::filesystem::temp_directory_path() /
              ("prismvid_store_" + std::to_string(::getpid()) + "_" + test);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "test.db";
    address_ = file_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> open(int busy_timeout_ms = 10'000) {
    return open_store(address_, {.busy_timeout_ms = busy_timeout_ms});
  }

  /// Whether the bytes stand anywhere in the database or its companion files; of PostgreSQL, in any
  /// row.
  bool on_disk(const std::string& bytes) const {
    if (address_.is_postgres()) return in_rows(address_, bytes);
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream stream(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(stream), {}};
      if (content.find(bytes) != std::string::npos) return true;
    }
    return false;
  }

  static bool in_rows(const Address& address, const std::string& bytes) {
    const std::string hex = hex_digits(bytes_of(bytes));
    PostgresDatabase database(address.text(), 1000);
    Statement tables(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'prismvid'");
    while (tables.step()) {
      Statement rows(database,
                     "SELECT count(*) FROM " + tables.text(0) +
                         " t WHERE strpos(CAST(t AS TEXT), ?1) > 0 OR "
                         "strpos(encode(convert_to(CAST(t AS TEXT), 'UTF8'), 'hex'), ?1) > 0",
                     hex);
      if (rows.step() && rows.integer(0) > 0) return true;
    }
    return false;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
  Address address_;
};

/// What must hold of both databases.
class StoreTest : public StoreFolder, public ::testing::WithParamInterface<Dialect> {
 protected:
  void SetUp() override {
    StoreFolder::SetUp();
    if (GetParam() == Dialect::kSqlite) return;
    std::string why;
    auto* server = tests::PostgresServer::get(why);
    if (!server) GTEST_SKIP() << why;
    address_ = server->make_database();
  }
  bool is_postgres() const { return GetParam() == Dialect::kPostgres; }
};

inline const auto kBoth = ::testing::Values(Dialect::kSqlite, Dialect::kPostgres);
inline std::string dialect_name(const ::testing::TestParamInfo<Dialect>& info) {
  return info.param == Dialect::kSqlite ? "Sqlite" : "Postgres";
}

inline std::string hash_of(char digit) {
  return std::string(64, digit);
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

/// What a call said when it failed with Error(kStore), "" when it did not fail.
inline std::string store_error(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kStore) << error.what();
    return error.what();
  }
  return "";
}

}  // namespace prismvid::store
