#include "store/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <thread>
#include <vector>

#include "core/error.h"

namespace prismvid::store {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOldest = 120000;        // generated columns, JSON paths
constexpr int64_t kAnswerMs = 15'000;  // for a server to answer a connection
constexpr int64_t kAgainMs = 100;
constexpr int64_t kLeastSilenceMs = 5'000;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

int64_t left_ms(Clock::time_point until) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
}

/// Why a connection was refused: the server's code ("28P01"; "" where none answered) and its words.
struct Refusal {
  std::string code;
  std::string words;
  bool needs_password = false;
};

Refusal refusal_of(PGconn* connection) {
  Refusal refusal;
  refusal.words = PQerrorMessage(connection);
  refusal.needs_password = PQconnectionNeedsPassword(connection);
  std::smatch found;
  static const std::regex kCoded(": +([0-9A-Z]{4}[0-9]): +([^\n]*)");
  if (std::regex_search(refusal.words, found, kCoded)) {
    refusal.code = found[1];
    refusal.words = found[2];
  }
  refusal.words = refusal.words.substr(0, refusal.words.find('\n'));
  if (refusal.words.empty()) refusal.words = "no answer in time";
  return refusal;
}

std::string advice(const Refusal& refusal) {
  const std::string& code = refusal.code;
  if (code == "28P01")
    return "does not take the password; set the right one in PGPASSWORD or ~/.pgpass";
  if (code == "28000") return "does not let this user in; its pg_hba.conf says who may";
  if (code == "3D000") return "is not there; an administrator makes it with: createdb -E UTF8 NAME";
  if (code == "42501") return "may not be used by this user; GRANT CONNECT lets it";
  if (code == "53300") return "has no connection left; raise max_connections of the server";
  if (code == "57P03") return "is starting or stopping; try again in a moment";
  if (!code.empty()) return "refuses the connection";
  if (refusal.needs_password) return "wants a password; set it in PGPASSWORD or ~/.pgpass";
  return "cannot be reached; is a server running there, and are host and port right?";
}

bool may_pass(const Refusal& refusal, bool known) {
  return refusal.code == "57P03" || refusal.code == "53300" ||
         (known && refusal.code.empty() && !refusal.needs_password);
}

PostgresConnection try_connect(const std::string& url) {
  // What stands before the URL it may change, what stands behind it not.
  const std::vector<const char*> names = {
      "fallback_application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
      "tcp_user_timeout",          "dbname",          "client_encoding",     nullptr};
  const std::vector<const char*> values = {"prismvid", "30",        "10",   "3",
                                           "30000",    url.c_str(), "UTF8", nullptr};
  PostgresConnection connection(PQconnectStartParams(names.data(), values.data(), 1));
  check(connection != nullptr, ErrorCode::kStore, "out of memory for a connection to PostgreSQL");
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);  // with codes, whatever its language
  const auto until = Clock::now() + std::chrono::milliseconds(kAnswerMs);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD && status != PGRES_POLLING_OK &&
         status != PGRES_POLLING_FAILED) {
    if (!wait_for_socket(connection.get(), status == PGRES_POLLING_WRITING, left_ms(until))) break;
    status = PQconnectPoll(connection.get());
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return connection;
}

void check_server(PGconn* connection, const std::string& shown) {
  const int version = PQserverVersion(connection);
  check(version >= kOldest, ErrorCode::kStore, "the server of ", shown, " is PostgreSQL ",
        version / 10000, version < 100000 ? "." + std::to_string(version / 100 % 100) : "",
        "; PrismVid needs ", kOldest / 10000, " or later");
  const char* encoding = PQparameterStatus(connection, "server_encoding");
  check(encoding && std::string(encoding) == "UTF8", ErrorCode::kStore, "the database ", shown,
        " has the encoding ", encoding ? encoding : "?",
        "; make one with: createdb -E UTF8 -T template0 NAME");
}

void prepare_session(PGconn* connection, const std::string& shown, int64_t wait_ms) {
  // A host that vanishes within a change must lose its locks before those who wait give up.
  const std::string silence_ms = std::to_string(std::max(wait_ms / 2, kLeastSilenceMs));
  const std::string sql =
      "SET search_path TO prismvid; SET lock_timeout TO " + std::to_string(wait_ms) +
      "; SET idle_in_transaction_session_timeout TO " + silence_ms +
      "; SET tcp_user_timeout TO " + silence_ms + "; SET tcp_keepalives_idle TO 30; "
      "SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3; "
      "SET standard_conforming_strings TO on";
  PGresult* result = PQexec(connection, sql.c_str());
  const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  check(done, ErrorCode::kStore, "the database ", shown,
        " takes no settings: ", PQerrorMessage(connection));
}

}  // namespace

std::string shown_postgres(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(url.c_str(), nullptr));
  std::string user, host, port, name;
  for (auto* option = options.get(); option && option->keyword; ++option) {
    const std::string keyword = option->keyword;
    if (!option->val || !*option->val) continue;
    if (keyword == "user") user = option->val + std::string("@");
    if (keyword == "host") host = option->val;
    if (keyword == "port") port = ":" + std::string(option->val);
    if (keyword == "dbname") name = option->val;
  }
  return "postgres://" + user + host + port + "/" + name;
}

bool wait_for_socket(PGconn* connection, bool write, int64_t timeout_ms) {
  pollfd socket{PQsocket(connection), static_cast<short>(write ? POLLOUT : POLLIN), 0};
  return socket.fd >= 0 &&
         ::poll(&socket, 1, static_cast<int>(std::max<int64_t>(timeout_ms, 0))) > 0;
}

PostgresConnection connect_postgres(const std::string& url, int64_t wait_ms, bool known) {
  // libpq's own words about a malformed URL repeat parts of it.
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(url.c_str(), nullptr));
  check(options != nullptr, ErrorCode::kStore,
        "--db is no URL that PostgreSQL's library understands; it wants "
        "postgres://USER@HOST:PORT/NAME, with %40 for an @ within a part");
  const std::string shown = shown_postgres(url);
  const auto until = Clock::now() + std::chrono::milliseconds(wait_ms);
  for (;;) {
    PostgresConnection connection = try_connect(url);
    if (PQstatus(connection.get()) == CONNECTION_OK) {
      check_server(connection.get(), shown);
      prepare_session(connection.get(), shown, wait_ms);
      return connection;
    }
    const Refusal refusal = refusal_of(connection.get());
    if (!may_pass(refusal, known) || left_ms(until) <= 0)
      fail(ErrorCode::kStore, "the database ", shown, " ", advice(refusal), " (", refusal.words,
           ")");
    std::this_thread::sleep_for(std::chrono::milliseconds(kAgainMs));
  }
}

}  // namespace prismvid::store
