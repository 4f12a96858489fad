#pragma once

#include <string>

#include "store/database.h"
#include "store/postgres_connection.h"

namespace prismvid::store {

/// One connection to a PostgreSQL server. When it breaks (the server was stopped or killed), what
/// ran fails with Error(kStore); reading outside a transaction and beginning one are tried again on
/// a new connection, which is waited for. Nothing that may have been stored is sent twice.
class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(std::string url, int64_t wait_ms);

  /// The URL without password.
  std::string shown() const { return shown_postgres(url_); }

  Dialect dialect() const override { return Dialect::kPostgres; }
  std::unique_ptr<Cursor> start(std::string_view sql, std::span<const Value> values) override;
  void execute(const std::string& sql) override;
  int64_t changes() const override { return changes_; }
  void begin(TransactionKind kind) override;
  void commit() override;
  void rollback() noexcept override;
  void lock(Lock lock) override;
  int64_t version(Topic topic) override;
  bool wait(Topic topic, int64_t timeout_ms) override;
  /// Gives the rows' space back to the server. What stood there may be in its files until it is
  /// used again, and in its log and copies for as long as it keeps those.
  bool wipe() override;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Result = std::unique_ptr<PGresult, Clear>;
  static constexpr int64_t kAdvisoryLocks = 0x50725664'0000;  // "PrVd", then which of them
  class Rows;

  Result send(const std::string& sql, std::span<const Value> values);
  /// With `again`, a broken connection is made anew and the statement sent once more.
  Result run(const std::string& sql, std::span<const Value> values, bool again);
  void check_result(const PGresult* result);
  [[noreturn]] void raise_lost();
  bool broken() const;
  /// Outside a transaction: finds out whether the server is still there before anything is sent.
  void revive();
  void reconnect();
  void listen(Topic topic);
  void count_notices();

  std::string url_;
  int64_t wait_ms_;
  PostgresConnection connection_;
  int64_t changes_ = 0;
  int64_t version_ = 1;
  bool in_transaction_ = false;
  std::optional<Topic> listens_;
  int64_t waited_version_ = 0;
};

}  // namespace prismvid::store
