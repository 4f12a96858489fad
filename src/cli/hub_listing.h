#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace prismvid::cli {

/// A file that the hub announces.
struct HubFile {
  std::filesystem::path name;
  std::string blob;    // SHA-256 of large files, git's hash of others: huggingface_hub's names
  bool large = false;  // kept apart from git, so that `blob` is its SHA-256
  int64_t bytes = 0;
};

struct HubListing {
  std::string commit;
  std::vector<HubFile> files;
};

/// Reads the answer of /api/models/NAME/revision/REVISION?blobs=true. Throws Error(kModel) for one
/// that is not understood, or that names files outside of the repository.
HubListing parse_hub_listing(const std::string& text);

/// Whether the file at `path` has the announced length and hash.
bool is_sound(const HubFile& file, const std::filesystem::path& path, const std::stop_token& stop);

/// A path that stays inside its folder.
bool is_inside(const std::filesystem::path& path);

}  // namespace prismvid::cli
