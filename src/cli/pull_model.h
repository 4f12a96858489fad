#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

namespace prismvid::cli {

struct PullOptions {
  std::string endpoint = "https://huggingface.co";
  std::filesystem::path hub;  // folder of the cache, laid out as huggingface_hub's
  std::function<void(const std::string& file, int64_t done, int64_t total)> progress;
  std::stop_token stop;
};

/// Fetches every file of a Hugging Face repository into the cache, going on where an earlier try
/// broke off; files that are there are kept. Large files are compared with their SHA-256, all
/// others with their size. Returns the snapshot's folder. Public repositories only. Throws
/// Error(kInvalidArgument) for a name that is none, Error(kUnavailable), and Error(kModel) for an
/// answer or a file that is not what was announced.
std::filesystem::path pull_model(const std::string& name, const PullOptions& options);

}  // namespace prismvid::cli
