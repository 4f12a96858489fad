#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

namespace prismvid::vision {

struct DownloadOptions {
  std::function<void(int64_t done, int64_t total)> progress;  // bytes; total 0 when not known
  std::stop_token stop;
};

/// Fetches `url` (https, http or file) into `file`, going on where an earlier try broke off
/// (`file`.part). Throws Error(kUnavailable) when the address cannot be reached or refuses,
/// Error(kCancelled) when stopped.
void download(const std::string& url, const std::filesystem::path& file,
              const DownloadOptions& options = {});

}  // namespace prismvid::vision
