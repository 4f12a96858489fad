#include "store/sqlite_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include "core/error.h"
#include "store/lock_holder.h"

namespace prismvid::store {

namespace {

/// Faces are in there: only the user may read it. SQLite gives its companion files the same mode.
void create_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) ::close(descriptor);
}

std::string advice(int code, const std::filesystem::path& file) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: {
      const std::string holder = lock_holder(file);
      return "is locked by " + (holder.empty() ? "another program" : holder) +
             "; wait until it is done, or use another --db";
    }
    case SQLITE_FULL:
      return "cannot grow: the disk is full; free some space and run again, finished stages are "
             "kept";
    case SQLITE_CORRUPT:
      return "is damaged; move it away to start anew, or bring back a copy";
    case SQLITE_NOTADB:
      return "is not a database; give another file with --db";
    case SQLITE_READONLY:
      return "is read-only; make the file and its folder writable, or use another --db";
    case SQLITE_CANTOPEN:
      return "cannot be opened; its folder must exist and be writable";
    case SQLITE_IOERR:
      return "cannot be read or written (is the disk full or gone?)";
    default:
      return "failed";
  }
}

int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void now_ms(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_int64(context, wall_ms());
}

void time_text(sqlite3_context* context, int, sqlite3_value** values) {
  const auto seconds = static_cast<std::time_t>(wall_ms() / 1000 + sqlite3_value_int64(values[0]));
  std::tm utc{};
  char text[32] = "";
  ::gmtime_r(&seconds, &utc);
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  sqlite3_result_text(context, text, static_cast<int>(size), SQLITE_TRANSIENT);
}

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(SqliteDatabase& database, sqlite3* connection, std::string_view sql,
               std::span<const Value> values)
      : database_(database) {
    sqlite3_stmt* handle = nullptr;
    const int code =
        sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) database_.raise(code);
    for (size_t i = 0; i < values.size(); ++i) {
      const int parameter = static_cast<int>(i) + 1;
      const int bound =
          std::visit([&](const auto& value) { return bind(parameter, value); }, values[i]);
      if (bound != SQLITE_OK) database_.raise(bound);
    }
  }

  bool step() override {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_.raise(code);
    return false;
  }
  bool is_null(int column) const override {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  int64_t integer(int column) const override { return sqlite3_column_int64(handle_.get(), column); }
  double real(int column) const override { return sqlite3_column_double(handle_.get(), column); }
  std::string_view text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    if (!text) return {};
    return {text, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
  }
  std::span<const uint8_t> bytes(int column) const override {
    const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(handle_.get(), column));
    if (!data) return {};
    return {data, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
  }

 private:
  int bind(int at, std::nullptr_t) { return sqlite3_bind_null(handle_.get(), at); }
  int bind(int at, int64_t value) { return sqlite3_bind_int64(handle_.get(), at, value); }
  int bind(int at, double value) { return sqlite3_bind_double(handle_.get(), at, value); }
  // Empty views may have no address, which SQLite would take for NULL.
  int bind(int at, std::string_view value) {
    return sqlite3_bind_text64(handle_.get(), at, value.empty() ? "" : value.data(), value.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  int bind(int at, std::span<const uint8_t> value) {
    static const uint8_t nothing = 0;
    return sqlite3_bind_blob64(handle_.get(), at, value.empty() ? &nothing : value.data(),
                               value.size(), SQLITE_TRANSIENT);
  }

  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  SqliteDatabase& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace

SqliteDatabase::SqliteDatabase(std::filesystem::path file, int busy_timeout_ms)
    : file_(std::move(file)) {
  create_private(file_);
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(file_.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) raise(code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  const auto add = [&](const char* name, int parameters, auto function) {
    const int known = sqlite3_create_function_v2(handle, name, parameters, SQLITE_UTF8, nullptr,
                                                 function, nullptr, nullptr, nullptr);
    if (known != SQLITE_OK) raise(known);
  };
  add("now_ms", 0, now_ms);
  add("time_text", 1, time_text);
}

void SqliteDatabase::raise(int code) const {
  fail(ErrorCode::kStore, "the database '", file_.string(), "' ", advice(code, file_), " (",
       handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code), ")");
}

std::unique_ptr<Cursor> SqliteDatabase::start(std::string_view sql, std::span<const Value> values) {
  return std::make_unique<SqliteCursor>(*this, handle_.get(), sql, values);
}

void SqliteDatabase::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(code);
}

void SqliteDatabase::begin(TransactionKind kind) {
  execute(kind == TransactionKind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

void SqliteDatabase::rollback() noexcept {
  // A full disk may have rolled it back already.
  if (!sqlite3_get_autocommit(handle_.get()))
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

bool SqliteDatabase::wipe() {
  execute("PRAGMA incremental_vacuum");
  return integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
}

}  // namespace prismvid::store
