#include "store/postgres_database.h"

#include <utility>

#include "core/error.h"
#include "store/postgres_values.h"

namespace prismvid::store {

namespace {

/// ? and ?7 as $1 and $7, but not within quotes.
std::string with_dollars(std::string_view sql) {
  std::string text;
  int next = 1;
  char quote = 0;
  for (size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '?') {
      text += '$';
      if (i + 1 == sql.size() || sql[i + 1] < '0' || sql[i + 1] > '9')
        text += std::to_string(next++);
      continue;
    }
    text += c;
  }
  return text;
}

bool only_reads(std::string_view sql) {
  return sql.starts_with("SELECT") || sql.starts_with("WITH");
}

std::string advice(const std::string& code) {
  if (code.starts_with("23")) return "refuses a row that does not fit the others";
  if (code == "40001" || code == "40P01")
    return "was changed by another program at the same time; try again";
  if (code == "42501")
    return "does not give this user the right; its owner can: GRANT CREATE ON DATABASE, or make "
           "the schema 'prismvid' for this user";
  if (code == "53100") return "cannot grow: the server's disk is full; finished stages are kept";
  if (code == "55P03")
    return "is locked by another program; wait until it is done, or use another --db";
  if (code == "25006") return "is read-only (a standby?); give the primary server with --db";
  if (code.starts_with("57")) return "is being shut down; try again when it is back";
  return "failed";
}

}  // namespace

/// The rows of a result, all of them in memory.
class PostgresDatabase::Rows final : public Cursor {
 public:
  explicit Rows(Result result) : result_(std::move(result)), count_(PQntuples(result_.get())) {}
  bool step() override { return ++row_ < count_; }
  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) != 0; }
  int64_t integer(int column) const override {
    return is_null(column) ? 0 : to_integer(PQftype(result_.get(), column), raw(column));
  }
  double real(int column) const override {
    return is_null(column) ? 0 : to_real(PQftype(result_.get(), column), raw(column));
  }
  std::string_view text(int column) const override { return raw(column); }
  std::span<const uint8_t> bytes(int column) const override {
    const std::string_view all = raw(column);
    return {reinterpret_cast<const uint8_t*>(all.data()), all.size()};
  }

 private:
  std::string_view raw(int column) const {
    return {PQgetvalue(result_.get(), row_, column),
            static_cast<size_t>(PQgetlength(result_.get(), row_, column))};
  }

  Result result_;
  int count_;
  int row_ = -1;
};

PostgresDatabase::PostgresDatabase(std::string url, int64_t wait_ms)
    : url_(std::move(url)),
      wait_ms_(wait_ms),
      connection_(connect_postgres(url_, wait_ms, false)) {}

PostgresDatabase::Result PostgresDatabase::send(const std::string& sql,
                                                std::span<const Value> values) {
  const PostgresValues parameters(values);
  constexpr int kBinary = 1;
  return Result(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                             parameters.types(), parameters.values(), parameters.lengths(),
                             parameters.formats(), kBinary));
}

PostgresDatabase::Result PostgresDatabase::run(const std::string& sql,
                                               std::span<const Value> values, bool again) {
  if (!in_transaction_) revive();
  if (broken()) raise_lost();
  Result result = send(sql, values);
  if (broken() && again && !in_transaction_) {
    reconnect();
    result = send(sql, values);
  }
  if (broken()) raise_lost();
  check_result(result.get());
  const char* rows = PQcmdTuples(result.get());
  changes_ = *rows ? std::stoll(rows) : 0;
  return result;
}

std::unique_ptr<Cursor> PostgresDatabase::start(std::string_view sql,
                                                std::span<const Value> values) {
  return std::make_unique<Rows>(run(with_dollars(sql), values, only_reads(sql)));
}

void PostgresDatabase::execute(const std::string& sql) {
  if (!in_transaction_) revive();
  if (broken()) raise_lost();
  const Result result(PQexec(connection_.get(), sql.c_str()));
  if (broken()) raise_lost();
  check_result(result.get());
}

void PostgresDatabase::begin(TransactionKind kind) {
  const char* sql =
      kind == TransactionKind::kWrite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  run(sql, {}, true);
  in_transaction_ = true;
}

void PostgresDatabase::commit() {
  const Result result = run("COMMIT", {}, false);
  in_transaction_ = false;
  // A transaction in which a statement had failed is ended by rolling it back.
  check(std::string(PQcmdStatus(result.get())) == "COMMIT", ErrorCode::kStore, "the database ",
        shown(), " took nothing of a change of which a part had failed");
}

void PostgresDatabase::rollback() noexcept {
  if (!in_transaction_) return;
  in_transaction_ = false;
  if (!broken()) Result(PQexec(connection_.get(), "ROLLBACK"));
}

void PostgresDatabase::lock(Lock lock) {
  const int64_t which = lock == Lock::kLibrary ? 1 : 2;
  const Value values[] = {kAdvisoryLocks + which};
  run("SELECT pg_advisory_xact_lock($1)", values, false);
}

bool PostgresDatabase::wipe() {
  execute(
      "VACUUM (SKIP_LOCKED) moments, moment_vectors, documents, edits, faces, negatives, blobs, "
      "stages, people");
  return false;
}

int64_t PostgresDatabase::version(Topic topic) {
  listen(topic);
  execute("SELECT 1");  // a server tells of what was committed before it answers
  count_notices();
  return version_;
}

bool PostgresDatabase::wait(Topic topic, int64_t timeout_ms) {
  listen(topic);
  count_notices();
  if (version_ == waited_version_ && wait_for_socket(connection_.get(), false, timeout_ms))
    count_notices();
  return std::exchange(waited_version_, version_) != version_;
}

/// Only who asks listens: what nobody reads would pile up.
void PostgresDatabase::listen(Topic topic) {
  revive();
  if (listens_ == topic) return;
  execute(topic == Topic::kJobs ? "LISTEN prismvid_jobs" : "LISTEN prismvid_library");
  listens_ = topic;
  ++version_;
}

void PostgresDatabase::count_notices() {
  PQconsumeInput(connection_.get());
  while (PGnotify* notice = PQnotifies(connection_.get())) {
    if (notice->be_pid != PQbackendPID(connection_.get())) ++version_;
    PQfreemem(notice);
  }
}

bool PostgresDatabase::broken() const {
  return !connection_ || PQstatus(connection_.get()) != CONNECTION_OK;
}

void PostgresDatabase::revive() {
  // A server that went away has closed the socket, perhaps with a last word before.
  while (!broken() && wait_for_socket(connection_.get(), false, 0)) {
    if (!PQconsumeInput(connection_.get())) break;
    if (listens_) count_notices();
  }
  if (broken()) reconnect();
}

void PostgresDatabase::reconnect() {
  connection_.reset();
  const auto topic = std::exchange(listens_, std::nullopt);
  connection_ = connect_postgres(url_, wait_ms_, true);
  ++version_;  // whatever was told meanwhile was not heard
  if (topic) listen(*topic);
}

void PostgresDatabase::raise_lost() {
  fail(ErrorCode::kStore, "the connection to the database ", shown(),
       " broke; what was being stored may or may not be there; run again when the server is back");
}

void PostgresDatabase::check_result(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
    return;
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string code = field ? field : "";
  // Not the details: they hold values.
  const char* words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  check(code != "22021" && code != "22P05", ErrorCode::kInvalidArgument,
        "a name, path or text is not valid UTF-8 or holds a zero byte, which PostgreSQL does not "
        "keep");
  fail(ErrorCode::kStore, "the database ", shown(), " ", advice(code), " (",
       words ? words : PQerrorMessage(connection_.get()), code.empty() ? "" : ", ", code, ")");
}

}  // namespace prismvid::store
