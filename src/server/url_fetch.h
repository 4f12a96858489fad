#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "server/http.h"

namespace prismvid::server {

struct FetchOptions {
  bool allow_private = false;  // also from this machine and its networks
  int64_t most_bytes = 0;
};

/// Downloads to a folder of its own below `folder`. Every address that is connected to, also behind
/// redirects, must be public unless allowed. Throws HttpError 422 where it cannot be had, 403 for a
/// private address, 413 for too many bytes; Error(kCancelled).
std::filesystem::path fetch_url(const std::string& url, const std::filesystem::path& folder,
                                const FetchOptions& options, std::stop_token stop);

struct PostResult {
  int status = 0;     // 0: no answer
  std::string error;  // empty for an answer of 200 to 299
};

/// Sends `body` as JSON, under the same rules about addresses; redirects are not followed.
PostResult post_json(const std::string& url, const std::string& body, const Fields& headers,
                     bool allow_private);

}  // namespace prismvid::server
