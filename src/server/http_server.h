#pragma once

#include <memory>
#include <string>

#include "server/http.h"

namespace prismvid::server {

struct ListenAddress {
  std::string host;  // numeric, without brackets
  uint16_t port = 0;
  bool is_loopback = false;
};

/// "127.0.0.1:8080", "[::1]:8080", "localhost:8080" or "0.0.0.0:80"; port 0 takes a free one.
/// Throws Error(kInvalidArgument).
ListenAddress parse_listen_address(const std::string& text);

struct HttpServerOptions {
  ListenAddress listen;
  unsigned most_connections = 1200;
  unsigned most_connections_of_one_client = 800;
  unsigned idle_timeout_seconds = 60;
};

/// HTTP/1.1 on libmicrohttpd, a thread for each connection. Listens from construction to
/// destruction, which waits for the requests in progress: their Request::stop is requested first.
class HttpServer {
 public:
  /// Throws Error(kUnavailable) when the address is taken or not this machine's.
  HttpServer(const HttpServerOptions& options, Handler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace prismvid::server
