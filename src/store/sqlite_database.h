#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace prismvid::store {

/// One connection. Failures throw Error(kStore) with the file, what happened and what to do.
class Database {
 public:
  /// Opens or creates; an existing file is not changed by that. `busy_timeout_ms` is the wait for
  /// other writers.
  Database(std::filesystem::path file, int busy_timeout_ms);

  sqlite3* handle() const { return handle_.get(); }
  const std::filesystem::path& file() const { return file_; }
  void execute(const std::string& sql);
  int64_t integer(const std::string& sql);  // first column of the first row
  int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  int64_t last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  [[noreturn]] void raise(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement with its values. Columns count from 0, parameters in order of ?.
class Statement {
 public:
  template <typename... Values>
  Statement(Database& database, std::string_view sql, const Values&... values)
      : Statement(database, sql, 0) {
    (bind(values), ...);
  }

  /// True while there is a row.
  bool step();
  /// For statements without rows.
  void run();

  int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  double real(int column) const { return sqlite3_column_double(handle_.get(), column); }
  bool is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  std::string text(int column) const;
  std::vector<uint8_t> bytes(int column) const;

 private:
  Statement(Database& database, std::string_view sql, int);
  void bind(int64_t value);
  void bind(int value) { bind(static_cast<int64_t>(value)); }
  void bind(double value);
  void bind(std::string_view value);
  void bind(const std::string& value) { bind(std::string_view(value)); }
  void bind(const char* value) { bind(std::string_view(value)); }
  void bind(const std::vector<uint8_t>& value);
  void bind(std::nullptr_t);
  template <typename T>
  void bind(const std::optional<T>& value) {
    if (value)
      bind(*value);
    else
      bind(nullptr);
  }
  void bound(int code);

  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int next_ = 1;
};

/// Rolled back unless committed. kWrite takes the write lock at once, so that it cannot fail
/// half-way for it.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace prismvid::store
