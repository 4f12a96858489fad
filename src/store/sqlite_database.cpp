#include "store/sqlite_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

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

}  // namespace

Database::Database(std::filesystem::path file, int busy_timeout_ms) : file_(std::move(file)) {
  create_private(file_);
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(file_.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) raise(code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
}

void Database::raise(int code) const {
  fail(ErrorCode::kStore, "the database '", file_.string(), "' ", advice(code, file_), " (",
       handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code), ")");
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(code);
}

int64_t Database::integer(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

Statement::Statement(Database& database, std::string_view sql, int) : database_(database) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      &handle, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) database_.raise(code);
}

bool Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.raise(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  return text ? std::string(text, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column)))
              : std::string();
}

std::vector<uint8_t> Statement::bytes(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return data ? std::vector<uint8_t>(data, data + size) : std::vector<uint8_t>();
}

void Statement::bound(int code) {
  if (code != SQLITE_OK) database_.raise(code);
}

void Statement::bind(int64_t value) {
  bound(sqlite3_bind_int64(handle_.get(), next_++, value));
}

void Statement::bind(double value) {
  bound(sqlite3_bind_double(handle_.get(), next_++, value));
}

void Statement::bind(std::string_view value) {
  // An empty view may have no address, which SQLite would take for NULL.
  bound(sqlite3_bind_text64(handle_.get(), next_++, value.empty() ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(const std::vector<uint8_t>& value) {
  static const uint8_t nothing = 0;
  bound(sqlite3_bind_blob64(handle_.get(), next_++, value.empty() ? &nothing : value.data(),
                            value.size(), SQLITE_TRANSIENT));
}

void Statement::bind(std::nullptr_t) {
  bound(sqlite3_bind_null(handle_.get(), next_++));
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // A full disk may have rolled it back already.
  if (open_ && !sqlite3_get_autocommit(database_.handle()))
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace prismvid::store
