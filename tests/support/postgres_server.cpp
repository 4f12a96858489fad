#include "support/postgres_server.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace prismvid::tests {

PostgresServer* PostgresServer::get(std::string& why) {
  static PostgresServer server;
  why = server.missing_;
  return why.empty() ? &server : nullptr;
}

PostgresServer::PostgresServer() {
  int to[2], from[2];
  // Closed in other children, so that the end of this process is the end of its input.
  if (::pipe(to) != 0 || ::pipe(from) != 0) throw std::runtime_error("no pipes");
  for (const int end : {to[0], to[1], from[0], from[1]}) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    const char* environment = std::getenv("PRISMVID_VENV");
    const std::string python = environment ? std::string(environment) + "/bin/python" : "python3";
    ::execlp(python.c_str(), python.c_str(), PRISMVID_TEST_SUPPORT "/private_postgres.py", nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  in_ = ::fdopen(to[1], "w");
  out_ = ::fdopen(from[0], "r");
  std::istringstream first(read_line());
  std::string state, url;
  first >> state;
  if (state == "ready")
    first >> url >> port_;
  else
    std::getline(first >> std::ws, missing_);
  if (state != "ready" && state != "missing")
    throw std::runtime_error("private_postgres.py does not start");
}

PostgresServer::~PostgresServer() {
  std::fclose(in_);
  std::fclose(out_);
  ::waitpid(process_, nullptr, 0);
}

std::string PostgresServer::ask(const std::string& command) {
  std::fprintf(in_, "%s\n", command.c_str());
  std::fflush(in_);
  const std::string answer = read_line();
  if (answer.empty()) throw std::runtime_error("private_postgres.py failed at: " + command);
  return answer;
}

std::string PostgresServer::read_line() {
  std::string line;
  for (int c = std::fgetc(out_); c != EOF && c != '\n'; c = std::fgetc(out_))
    line += static_cast<char>(c);
  return line;
}

}  // namespace prismvid::tests
