#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/postgres_server.h"
#include "support/synthetic_clip.h"

namespace prismvid::tests {

/// A folder and a database of either kind, for what must hold of both.
class BothDatabases : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    database_ = (folder_.path() / "test.db").string();
    if (std::string(GetParam()) == "Sqlite") return;
    std::string why;
    server_ = PostgresServer::get(why);
    if (!server_) GTEST_SKIP() << why;
    database_ = server_->make_database();
  }

  const std::string& db() const { return database_; }
  /// --data, so that nothing is left in the user's own folder.
  std::string data() const { return (folder_.path() / "uploads").string(); }

  TemporaryFolder folder_;
  PostgresServer* server_ = nullptr;  // nullptr with SQLite

 private:
  std::string database_;
};

inline const auto kBothDatabases = testing::Values("Sqlite", "Postgres");
inline std::string database_name(const testing::TestParamInfo<const char*>& info) {
  return info.param;
}

}  // namespace prismvid::tests
