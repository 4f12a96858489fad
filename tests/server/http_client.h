#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// A client on libcurl, for tests through real sockets.
namespace prismvid::tests {

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  /// code of the one error shape, "" where the body is no error.
  std::string error_code() const;
};

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers = {};  // "Range: bytes=0-9"
  std::string body = {};
};

/// Throws std::runtime_error when there was no answer.
HttpReply call(const HttpCall& request);

}  // namespace prismvid::tests
