#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

// What travels between the HTTP library and the routes, as values.
namespace prismvid::server {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Takes a body that is too large for memory.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void write(const char* bytes, size_t count) = 0;
};

/// Takes the parts of a multipart/form-data body as they come; a long part in several calls.
class FormSink {
 public:
  virtual ~FormSink() = default;
  /// `offset` is 0 when a part begins; `file` is empty for a part that is no file.
  virtual void part(const std::string& name, const std::string& file, uint64_t offset,
                    const char* bytes, size_t count) = 0;
};

/// How the body of a request is taken: by one of the sinks, or into Request::body.
struct BodyPlan {
  int64_t max_bytes = 0;
  std::shared_ptr<BodySink> sink = nullptr;
  std::shared_ptr<FormSink> form = nullptr;
};

struct Request {
  std::string id;      // "r_...", in logs and in X-Request-Id
  std::string method;  // GET, POST, ...; HEAD comes as GET
  std::string path;    // decoded, without the query
  std::string client;  // address of the other side
  Fields query;        // decoded, in order
  std::map<std::string, std::string> headers;      // lower-case names
  std::map<std::string, std::string> path_values;  // of the route's {names}
  std::string body;                                // where the route does not stream it
  BodyPlan plan;                                   // with the sinks that took the body
  std::string key_id;                              // of the API key; empty without one
  bool key_is_new = false;                         // to this browser, which gets a cookie
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  /// Whether the other side has closed its connection.
  std::function<bool()> is_gone = [] { return false; };
  /// Requested when the service stops.
  std::stop_token stop;

  std::string header(const std::string& lower_case_name) const;
  /// Value of a query parameter, nullopt where it is not given.
  std::optional<std::string> parameter(const std::string& name) const;
  const std::string& value(const std::string& name) const { return path_values.at(name); }
};

/// Part of an open file.
struct FilePart {
  int descriptor = -1;  // owned by whoever sends it
  int64_t offset = 0;
  int64_t bytes = 0;
};

/// Gives the body piece by piece; may block, and ends with nullopt.
using Stream = std::function<std::optional<std::string>()>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Fields headers;
  std::variant<std::string, FilePart, Stream> body;
};

/// A refusal with a status of its own. The message says what would have worked.
class HttpError : public Error {
 public:
  HttpError(int status, std::string code, const std::string& message, Fields headers = {})
      : Error(ErrorCode::kInvalidArgument, message),
        status_(status),
        code_(std::move(code)),
        headers_(std::move(headers)) {}
  int status() const { return status_; }
  const std::string& code_name() const { return code_; }
  const Fields& headers() const { return headers_; }

 private:
  int status_;
  std::string code_;
  Fields headers_;
};

/// The one shape of every error: {"error":{"code","message","retryable"}}.
Response error_response(const Error& error);

/// HTTP status of a failure of the program.
int status_of(ErrorCode code);

/// What answers requests. Called from many threads.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Called when the headers are there; throws Error to refuse before any of the body is read.
  virtual BodyPlan begin(Request& request) = 0;
  /// Called when the body is there. Throws nothing.
  virtual Response answer(Request& request) = 0;
  /// Headers for every response, and the log.
  virtual void finish(const Request& request, Response& response) = 0;
};

}  // namespace prismvid::server
