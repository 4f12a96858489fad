#include "server/http.h"

#include "document/json.h"

namespace prismvid::server {

std::string Request::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

std::optional<std::string> Request::parameter(const std::string& name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kUnreadable: return 422;
    case ErrorCode::kNotVideo: return 415;
    case ErrorCode::kStore:
    case ErrorCode::kModel:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled: return 503;
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

Response error_response(const Error& error) {
  const auto* refusal = dynamic_cast<const HttpError*>(&error);
  Response response;
  response.status = refusal ? refusal->status() : status_of(error.code());
  if (refusal) response.headers = refusal->headers();
  const bool retryable = response.status == 429 || response.status == 503;
  response.body = document::to_text(
      {{"error",
        {{"code", refusal ? refusal->code_name() : to_string(error.code())},
         {"message", error.what()},
         {"retryable", retryable}}}});
  return response;
}

}  // namespace prismvid::server
