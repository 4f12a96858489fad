#include "cli/pull_model.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.h"
#include "core/sha256.h"
#include "vision/models/download.h"

namespace prismvid::cli {
namespace {

namespace fs = std::filesystem;

struct RemoteFile {
  fs::path name;
  std::string blob;    // SHA-256 of large files, git's hash of others: huggingface_hub's names
  std::string sha256;  // empty for small files
  int64_t bytes = -1;
};

struct Listing {
  std::string revision;
  std::vector<RemoteFile> files;
};

bool is_hash(const std::string& text) {
  return text.size() >= 40 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// A path that stays inside its folder.
bool is_inside(const fs::path& path) {
  return !path.empty() && path.is_relative() &&
         std::none_of(path.begin(), path.end(),
                      [](const fs::path& part) { return part == ".." || part == "."; });
}

RemoteFile read_file(const nlohmann::json& entry) {
  RemoteFile file;
  file.name = entry.at("rfilename").get<std::string>();
  file.bytes = entry.value("size", int64_t{-1});
  if (entry.contains("lfs") && entry["lfs"].is_object())
    file.sha256 = entry["lfs"].at("sha256").get<std::string>();
  file.blob = file.sha256.empty() ? entry.at("blobId").get<std::string>() : file.sha256;
  check(is_inside(file.name) && is_hash(file.blob), ErrorCode::kModel, "the hub announces a file ",
        file.name.string(), " that cannot be");
  return file;
}

Listing read_listing(const fs::path& path) {
  try {
    std::ifstream in(path);
    const auto answer = nlohmann::json::parse(in);
    Listing listing{answer.at("sha").get<std::string>(), {}};
    check(is_hash(listing.revision), ErrorCode::kModel, "the hub announces no revision");
    for (const auto& entry : answer.at("siblings")) listing.files.push_back(read_file(entry));
    return listing;
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kModel, "the hub's answer is not understood: ", e.what());
  }
}

void check_file(const RemoteFile& file, const fs::path& path, const std::stop_token& stop) {
  const auto bytes = static_cast<int64_t>(fs::file_size(path));
  const bool sound = (file.bytes < 0 || bytes == file.bytes) &&
                     (file.sha256.empty() || sha256_file(path, stop) == file.sha256);
  if (sound) return;
  fs::remove(path);
  fail(ErrorCode::kModel, file.name.string(), " came with ", bytes,
       " bytes or a checksum that were not announced; it was removed, try again");
}

void link_file(const fs::path& blob, const fs::path& link) {
  fs::create_directories(link.parent_path());
  fs::remove(link);
  fs::create_symlink(fs::relative(blob, link.parent_path()), link);
}

}  // namespace

fs::path pull_model(const std::string& name, const PullOptions& options) {
  const size_t slash = name.find('/');
  check(slash != std::string::npos && slash > 0 && is_inside(name) &&
            name.find('/', slash + 1) == std::string::npos,
        ErrorCode::kInvalidArgument, "\"", name,
        "\" is no name of a model; names are like Qwen/Qwen3-VL-2B-Instruct");
  const fs::path repository =
      options.hub / ("models--" + name.substr(0, slash) + "--" + name.substr(slash + 1));
  fs::create_directories(repository / "blobs");
  fs::create_directories(repository / "refs");

  vision::DownloadOptions transfer;
  transfer.stop = options.stop;
  const fs::path answer = repository / "listing.json";
  fs::remove(answer.string() + ".part");
  vision::download(options.endpoint + "/api/models/" + name + "/revision/main?blobs=true", answer,
                   transfer);
  const Listing listing = read_listing(answer);
  fs::remove(answer);

  const fs::path snapshot = repository / "snapshots" / listing.revision;
  for (const RemoteFile& file : listing.files) {
    const fs::path blob = repository / "blobs" / file.blob;
    if (options.progress)
      transfer.progress = [&](int64_t done, int64_t total) {
        options.progress(file.name.string(), done, total);
      };
    if (!fs::exists(blob)) {
      vision::download(
          options.endpoint + "/" + name + "/resolve/" + listing.revision + "/" + file.name.string(),
          blob, transfer);
      check_file(file, blob, options.stop);
    }
    link_file(blob, snapshot / file.name);
  }
  std::ofstream(repository / "refs" / "main") << listing.revision;
  return snapshot;
}

}  // namespace prismvid::cli
