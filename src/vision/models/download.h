#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "core/error.h"

namespace prismvid::vision {

struct DownloadOptions {
  std::function<void(int64_t done, int64_t total)> progress;  // bytes; total 0 when not known
  std::stop_token stop;
  std::string bearer_token;  // for the host of the address only, not for redirections
  std::string partial_suffix = ".part";  // of what has come so far; empty: `file` itself grows
  int64_t largest_bytes = int64_t{8} << 30;
};

/// The other side answered with an HTTP status of 400 or more; kUnavailable.
class HttpRefusal : public Error {
 public:
  HttpRefusal(long status, const std::string& message)
      : Error(ErrorCode::kUnavailable, message), status_(status) {}
  long status() const { return status_; }

 private:
  long status_;
};

/// Fetches `url` (https, http or file) into `file`, going on where an earlier try broke off, and
/// a few times where this one does. An https address is never left for http. Throws HttpRefusal, Error(kUnavailable) when the address cannot be reached or refuses,
/// Error(kCancelled) when stopped.
void download(const std::string& url, const std::filesystem::path& file,
              const DownloadOptions& options = {});

}  // namespace prismvid::vision
