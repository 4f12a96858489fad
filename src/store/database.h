#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace prismvid::store {

/// A parameter of a statement.
using Value =
    std::variant<std::nullptr_t, int64_t, double, std::string_view, std::span<const uint8_t>>;

/// The rows of a statement. What text() and bytes() give holds until the next step().
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool step() = 0;
  virtual bool is_null(int column) const = 0;
  virtual int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::span<const uint8_t> bytes(int column) const = 0;
};

enum class Dialect { kSqlite, kPostgres };

/// kRead sees one state of the database. kWrite of SQLite takes the write lock at once, so that it
/// cannot fail half-way for it; of PostgreSQL it locks the rows that it touches.
enum class TransactionKind { kRead, kWrite };

/// What one transaction at a time may do, until its end. In SQLite a writer has all of it anyway.
enum class Lock {
  kLibrary,  // decide about faces and people, replace what is searched, delete
  kEvents,   // number events: numbers become visible in their order only so
};

/// Whose changes by others are waited for.
enum class Topic { kLibrary, kJobs };

/// One connection, of one thread at a time. Failures throw Error(kStore) with what happened and
/// what to do, never with a password.
///
/// The stores' SQL is what both dialects know: parameters are ? or ?1, upserts are ON CONFLICT, new
/// numbers come by RETURNING. Beside the standard both have
///   time_text(s)   the time now and s seconds, RFC 3339 in UTC
///   now_ms()       the database's clock in milliseconds since 1970
///   instr(a, b)    where b starts in a, or 0
///   json_each(a)   table of the elements of a JSON array, in the column `value`
///   json_extract(a, path)
class Database {
 public:
  virtual ~Database() = default;

  virtual Dialect dialect() const = 0;
  virtual std::unique_ptr<Cursor> start(std::string_view sql, std::span<const Value> values) = 0;
  /// Several statements, without parameters and rows.
  virtual void execute(const std::string& sql) = 0;
  /// Rows that the last statement inserted, updated or deleted.
  virtual int64_t changes() const = 0;
  /// First column of the first row, 0 without one.
  int64_t integer(const std::string& sql);

  virtual void begin(TransactionKind kind) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  /// Within a kWrite transaction.
  virtual void lock(Lock lock) = 0;

  /// Changes with every commit of another connection that concerns the topic. Costs microseconds;
  /// of PostgreSQL a way to the server and back.
  virtual int64_t version(Topic topic) = 0;
  /// True as soon as version() has changed since the last call, false after the time. SQLite, which
  /// tells nobody, gives false at once.
  virtual bool wait(Topic topic, int64_t timeout_ms) = 0;

  /// After a deletion: overwrites what it left on the disk; false where that is not done at once.
  virtual bool wipe() = 0;
};

/// A running statement with its values. Columns count from 0, parameters in order of ?.
class Statement {
 public:
  template <typename... Values>
  Statement(Database& database, std::string_view sql, const Values&... values)
      : cursor_(database.start(sql, std::array<Value, sizeof...(Values)>{value(values)...})) {}

  Statement(Database& database, std::string_view sql, std::span<const Value> values)
      : cursor_(database.start(sql, values)) {}

  /// True while there is a row.
  bool step() { return cursor_->step(); }
  /// For statements without rows.
  void run() {
    while (step()) {
    }
  }
  /// For statements with at most one row, of one number (RETURNING).
  std::optional<int64_t> returned();

  int64_t integer(int column) const { return cursor_->integer(column); }
  double real(int column) const { return cursor_->real(column); }
  bool is_null(int column) const { return cursor_->is_null(column); }
  std::string text(int column) const { return std::string(cursor_->text(column)); }
  std::vector<uint8_t> bytes(int column) const;

 private:
  static Value value(int64_t number) { return number; }
  static Value value(int number) { return static_cast<int64_t>(number); }
  static Value value(double number) { return number; }
  static Value value(std::string_view text) { return text; }
  static Value value(const std::string& text) { return std::string_view(text); }
  static Value value(const char* text) { return std::string_view(text); }
  static Value value(const std::vector<uint8_t>& bytes) { return std::span(bytes); }
  template <typename T>
  static Value value(const std::optional<T>& given) {
    return given ? value(*given) : Value(nullptr);
  }

  std::unique_ptr<Cursor> cursor_;
};

/// Rolled back unless committed.
class Transaction {
 public:
  Transaction(Database& database, TransactionKind kind);
  /// For writing, with a lock.
  Transaction(Database& database, Lock lock);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace prismvid::store
