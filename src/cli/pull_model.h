#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

namespace prismvid::cli {

/// How far a download is: the file at work, and all files together.
struct PullProgress {
  std::string file;
  int file_number = 0;  // from 1
  int files = 0;
  int64_t done = 0;  // bytes of all files
  int64_t total = 0;
};

struct PullOptions {
  std::string endpoint = "https://huggingface.co";
  std::string token;  // sent to the endpoint's host alone
  std::string revision = "main";
  std::filesystem::path hub;  // folder of the cache, laid out as huggingface_hub's
  std::function<void(const PullProgress&)> progress;
  std::stop_token stop;
};

/// Fetches every file of a Hugging Face repository into the cache, going on where an earlier try,
/// ours or huggingface_hub's, broke off; files that are there are kept. Every file is compared with
/// its announced hash: SHA-256 of large files, git's of the others. Returns the snapshot's folder.
/// Throws Error(kInvalidArgument) for a name that is none, Error(kNotFound) for a repository that
/// is not there or may not be seen, Error(kUnavailable) where the hub cannot be reached, refuses the
/// token or the disk is too small, and Error(kModel) for an answer or a file that is not what was
/// announced.
std::filesystem::path pull_model(const std::string& name, const PullOptions& options);

}  // namespace prismvid::cli
