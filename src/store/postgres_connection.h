#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>

namespace prismvid::store {

/// "postgres://user@host:port/name": no password, no options.
std::string shown_postgres(const std::string& url);

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PostgresConnection = std::unique_ptr<PGconn, FinishConnection>;

/// Connects, in UTF-8 and the schema `prismvid`. For `wait_ms` it tries again while the server
/// starts or has no connection left, and with `known` also while there is none: it was there and
/// may come back. Throws Error(kStore), whose message holds no password.
PostgresConnection connect_postgres(const std::string& url, int64_t wait_ms, bool known);

/// Waits until the connection's socket can be read (or written); false after the time.
bool wait_for_socket(PGconn* connection, bool write, int64_t timeout_ms);

}  // namespace prismvid::store
