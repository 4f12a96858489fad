#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace prismvid {

/// What kind of failure an Error reports. The command line maps each to an exit code, the service to a status.
enum class ErrorCode {
  kInvalidArgument,  // the caller asked for something that cannot be
  kNotFound,         // no such file, video, person or model
  kUnreadable,       // it exists but cannot be opened or is not a regular file
  kNotVideo,         // it can be read but holds no decodable video
  kStore,            // the database or its folder failed
  kModel,            // a model is missing, damaged or not supported
  kUnavailable,      // a part of the program cannot work here, and the message says what mends it
  kCancelled,        // the user stopped it
  kInternal,         // a bug
};

const char* to_string(ErrorCode code);

/// The one exception of the project. The message says who, what it got and what would have worked.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(code, message.str());
}

/// Throws Error(code, parts...) unless `condition` holds.
template <typename... Parts>
void check(bool condition, ErrorCode code, const Parts&... parts) {
  if (!condition) fail(code, parts...);
}

}  // namespace prismvid
