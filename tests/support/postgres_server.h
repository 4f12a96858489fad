#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>

namespace prismvid::tests {

/// A PostgreSQL server of this process's own (private_postgres.py), started on first use.
class PostgresServer {
 public:
  /// The one of this process, or nullptr with `why` where none can be had.
  static PostgresServer* get(std::string& why);

  /// URL of a fresh, empty database.
  std::string make_database() { return ask("database"); }
  /// SIGKILL to the server and all its processes.
  void kill() { ask("kill"); }
  void stop() { ask("stop"); }
  void start() { ask("start"); }
  int port() const { return port_; }

  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

 private:
  PostgresServer();
  std::string ask(const std::string& command);
  std::string read_line();

  pid_t process_ = -1;
  FILE* in_ = nullptr;
  FILE* out_ = nullptr;
  std::string missing_;
  int port_ = 0;
};

}  // namespace prismvid::tests
