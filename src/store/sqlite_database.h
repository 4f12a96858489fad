#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>

#include "store/database.h"

namespace prismvid::store {

/// One connection to a file.
class SqliteDatabase final : public Database {
 public:
  /// Opens or creates; an existing file is not changed by that. `busy_timeout_ms` is the wait for
  /// other writers.
  SqliteDatabase(std::filesystem::path file, int busy_timeout_ms);

  const std::filesystem::path& file() const { return file_; }
  [[noreturn]] void raise(int code) const;

  Dialect dialect() const override { return Dialect::kSqlite; }
  std::unique_ptr<Cursor> start(std::string_view sql, std::span<const Value> values) override;
  void execute(const std::string& sql) override;
  int64_t changes() const override { return sqlite3_changes64(handle_.get()); }
  void begin(TransactionKind kind) override;
  void commit() override { execute("COMMIT"); }
  void rollback() noexcept override;
  void lock(Lock) override {}
  int64_t version(Topic) override { return integer("PRAGMA data_version"); }
  bool wait(Topic, int64_t) override { return false; }
  /// False when another process keeps old pages in the log; they go when it closes.
  bool wipe() override;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace prismvid::store
